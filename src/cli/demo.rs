//! `palabre demo`

use std::{collections::HashMap, sync::Arc, time::Duration};

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;

use super::{moderator::sign_in_link, serve};
use crate::{
    config::Listen,
    domain::{
        Author, AuthorId, AuthorName, Body, Caller, CommentId, Lang, NewAuthor, NewComment, Role,
        Site, SiteScope, SiteSlug, Status, Subject, ThreadChange, ThreadKey, Title, Url,
    },
    http::Settings,
    moderation::{CommentView, Moderation, Submission, Submitted},
    store::Store,
};

/// The sample threads, written for Palabre.
static THREADS: &[(&str, &str)] = &include!(concat!(env!("OUT_DIR"), "/seed_threads.rs"));

const SITE: &str = "demo";
const TOKEN_TTL: Duration = Duration::from_hours(24);

/// Try Palabre: sample threads, a site, a moderator and an admin in a throw-away directory; serves until Ctrl-C.
#[derive(Debug, Args)]
#[command(after_help = "Example: palabre demo --listen 127.0.0.1:9000")]
pub struct DemoArgs {
    #[command(flatten)]
    listen: Listen,
}

/// A file of `seeds/threads`.
#[derive(Deserialize)]
struct SeedThread {
    thread: SeedPage,
    comments: Vec<SeedComment>,
}

#[derive(Deserialize)]
struct SeedPage {
    key: String,
    title: String,
    url: String,
    lang: String,
}

#[derive(Deserialize)]
struct SeedComment {
    n: u32,
    parent: Option<u32>,
    author: SeedAuthor,
    body: String,
}

#[derive(Deserialize)]
struct SeedAuthor {
    id: String,
    name: String,
}

pub async fn run(args: DemoArgs) -> anyhow::Result<()> {
    let listener = serve::bind(&args.listen)?;
    let directory = tempfile::Builder::new()
        .prefix("palabre-demo-")
        .tempdir()
        .context("no throw-away directory could be made")?;
    let store = Store::open_file(&directory.path().join("palabre.db")).await?;
    let moderation = Arc::new(Moderation::open(store).await?);
    let site = moderation
        .administration()
        .add_site(SiteSlug::parse(SITE)?, None)
        .await?;
    let site = Arc::new(site);
    let mut held = 0;
    let mut posted = 0;
    let mut thread = None;
    for (name, json) in THREADS {
        for comment in load(&moderation, &site, json)
            .await
            .with_context(|| format!("the sample thread {name} cannot be loaded"))?
        {
            posted += 1;
            held += usize::from(comment.status == Status::Pending);
            thread.get_or_insert(comment.thread);
        }
    }
    let token = |role: Role, subject: &str| {
        let caller = Caller {
            subject: Subject::parse(subject)?,
            role,
            sites: SiteScope::Only(vec![site.slug.clone()]),
        };
        anyhow::Ok(moderation.administration().sign_token(&caller, TOKEN_TTL)?)
    };
    let (site_token, moderator_token, admin_token) = (
        token(Role::Site, "demo-site")?,
        token(Role::Moderator, "demo-moderator")?,
        token(Role::Admin, "demo-admin")?,
    );
    let moderator = Subject::parse("awa")?;
    let (_, link) = moderation
        .administration()
        .add_moderator(&moderator, Role::Admin, &SiteScope::All)
        .await?;
    let thread = thread.context("there are no sample threads")?;
    let settings = Settings::default();
    serve::serve(Arc::clone(&moderation), listener, settings, |address| {
        println!(
            "\
listening on http://{address}

{posted} comments in {threads} threads are loaded; {held} of them wait for a moderator.
This is a demo: everything is in {directory} and is deleted at the end.

Work the queue, signed in once by this link:
  {link}

Tokens, good for a day:
  site       {site_token}
  moderator  {moderator_token}
  admin      {admin_token}

Post a comment:
  curl -sS -X POST http://{address}/v1/threads/{thread}/comments -H 'Authorization: Bearer {site_token}' -H 'Content-Type: application/json' -d '{{\"body\": \"Merci pour cet article, très clair.\", \"author\": {{\"id\": \"u1\", \"name\": \"Awa\"}}}}'

See the worst of what waits:
  curl -sS 'http://{address}/v1/queue?limit=3' -H 'Authorization: Bearer {moderator_token}'

Stop with Ctrl-C.",
            link = sign_in_link(&format!("http://{address}"), &link),
            threads = THREADS.len(),
            directory = directory.path().display(),
        );
    })
    .await
}

async fn load(
    moderation: &Moderation,
    site: &Arc<Site>,
    json: &str,
) -> anyhow::Result<Vec<CommentView>> {
    let seed: SeedThread = serde_json::from_str(json)?;
    let key = ThreadKey::parse(&seed.thread.key)?;
    let page = ThreadChange {
        title: Some(Some(Title::parse(&seed.thread.title)?)),
        url: Some(Some(Url::parse(&seed.thread.url)?)),
        lang: Some(Some(Lang::parse(&seed.thread.lang)?)),
        ..ThreadChange::default()
    };
    moderation.put_thread(site, key.clone(), page).await?;
    let mut ids: HashMap<u32, CommentId> = HashMap::new();
    let mut comments = Vec::new();
    for comment in seed.comments {
        let parent = comment
            .parent
            .map(|n| {
                ids.get(&n)
                    .copied()
                    .context("a reply comes before its parent")
            })
            .transpose()?;
        let submission = Submission {
            thread: key.clone(),
            thread_details: ThreadChange::default(),
            comment: NewComment {
                body: Body::parse(&comment.body)?,
                author: NewAuthor {
                    author: Author {
                        id: AuthorId::parse(&comment.author.id)?,
                        name: AuthorName::parse(&comment.author.name)?,
                    },
                    email: None,
                    ip: None,
                },
                parent,
                external_id: None,
            },
        };
        let submitted = moderation.submit(site, submission, None).await?;
        let (Submitted::New(stored) | Submitted::Known(stored)) = submitted else {
            continue;
        };
        ids.insert(comment.n, stored.id);
        comments.push(stored);
    }
    Ok(comments)
}
