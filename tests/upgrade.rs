//! A database of the previous version, brought up to this one: nothing is lost, and everything goes on working.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "helpers of tests fail loudly"
)]

#[path = "support/postgres.rs"]
mod postgres;

use std::{borrow::Cow, path::Path};

use palabre::{
    classifier::{Comment, Model},
    domain::{
        AppealOutcome, Author, AuthorId, AuthorName, Body, Caller, CommentId, LabelOverrides,
        NewAuthor, NewComment, Note, QueueName, QueueSort, Role, Scope, SiteScope, Status, Subject,
        ThreadChange, ThreadKey, Timestamp, Verb, Words,
    },
    moderation::{
        ChangesFilter, DecisionRequest, Edit, Error, Moderation, QueueRequest, Submission,
        Submitted,
    },
    store::Store,
};
use postgres::PostgresDatabase;
use sqlx::migrate::Migrator;
use uuid::Uuid;

/// The last migration of the previous version.
const PREVIOUS: i64 = 1;
/// The last one before appeals were answered and words had an index.
const BEFORE_ANSWERS: i64 = 4;
/// Long enough to have copies.
const TEXT: &str = "Le marché de Médine rouvre lundi matin avec de nouveaux hangars et une entrée.";

/// The migrations of a version, as it ran them, up to that one.
async fn until(last: i64, directory: &str) -> Migrator {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("migrations")
        .join(directory);
    let all = Migrator::new(path).await.unwrap();
    let kept: Vec<_> = all
        .iter()
        .filter(|migration| migration.version <= last)
        .cloned()
        .collect();
    assert!(!kept.is_empty() && kept.len() < all.iter().count());
    Migrator {
        migrations: Cow::Owned(kept),
        ..Migrator::DEFAULT
    }
}

/// What the previous version stored of a site with a published comment and one that waits and was escalated.
struct Rows {
    site: Uuid,
    thread: Uuid,
    published: Uuid,
    escalated: Uuid,
    decision: Uuid,
}

impl Rows {
    fn new() -> Self {
        Self {
            site: Uuid::now_v7(),
            thread: Uuid::now_v7(),
            published: Uuid::now_v7(),
            escalated: Uuid::now_v7(),
            decision: Uuid::now_v7(),
        }
    }

    /// The statements that store it, in SQL where `id` writes an id and `bytes` a binary value.
    fn statements(
        &self,
        id: impl Fn(Uuid) -> String,
        bytes: impl Fn(&[u8]) -> String,
    ) -> Vec<String> {
        let fingerprint = Model::from_bytes(Model::SHIPPED)
            .unwrap()
            .assess(&Comment {
                text: TEXT,
                ancestors: &[],
                lang: None,
            })
            .fingerprint;
        let (site, thread) = (id(self.site), id(self.thread));
        let (published, escalated, decision) =
            (id(self.published), id(self.escalated), id(self.decision));
        let mut all = vec![
            format!(
                "INSERT INTO sites (id, slug, policy, created_at) VALUES ({site}, 'bamako', '{{\"max_links\": 2}}', 1000)"
            ),
            format!(
                "INSERT INTO threads (id, site_id, key, closed, created_at) VALUES ({thread}, {site}, 'medine', 0, 2000)"
            ),
            format!(
                "INSERT INTO authors (site_id, author_id, name, seen_at) VALUES ({site}, 'awa', 'Awa', 3000)"
            ),
        ];
        for (comment, text, status, at) in [
            (&published, TEXT, "published", 3000),
            (&escalated, "Une réponse.", "pending", 4000),
        ] {
            all.push(format!(
                "INSERT INTO comments (id, site_id, thread_id, depth, author_id, author_name, body, status, created_at, version)
                 VALUES ({comment}, {site}, {thread}, 0, 'awa', 'Awa', '{text}', '{status}', {at}, 1)"
            ));
            all.push(format!(
                "INSERT INTO scores (comment_id, model, toxicity, insult, threat, identity_attack, profanity, spam, reasons, highlights, quotes)
                 VALUES ({comment}, 'old', 0.5, 0.1, 0.1, 0.1, 0.1, 0.1, '[{{\"code\": \"toxicity\", \"score\": 0.5, \"detail\": \"0.50\"}}]', '[]', '[]')"
            ));
        }
        all.push(format!(
            "INSERT INTO fingerprints (comment_id, site_id, exact, approved, signature, cluster_id)
             VALUES ({published}, {site}, {}, 0, {}, {})",
            fingerprint.exact(),
            bytes(&fingerprint.signature().to_bytes()),
            id(Uuid::now_v7())
        ));
        all.push(format!(
            "INSERT INTO fingerprint_bands (band, comment_id) VALUES (42, {published})"
        ));
        all.push(format!(
            "INSERT INTO decisions (id, comment_id, site_id, thread_id, action, labels, moderator, at, from_status, to_status,
                 from_queue, to_queue, version)
             VALUES ({decision}, {escalated}, {site}, {thread}, 'escalate', '{{}}', 'binta', 9000, 'pending', 'pending',
                 'waiting', 'escalated', 1)"
        ));
        all.push(format!(
            "UPDATE comments SET decision_id = {decision} WHERE id = {escalated}"
        ));
        all.push(format!(
            "INSERT INTO queue (comment_id, site_id, thread_id, author_id, queue, priority, priority_parts, reason_bits,
                 max_score, folded, created_at)
             VALUES ({escalated}, {site}, {thread}, 'awa', 'escalated', 5000, '[]', 1, 0.5, 'une reponse.', 4000)"
        ));
        all.push(format!(
            "INSERT INTO events (site_id, kind, comment_id, at) VALUES ({site}, 'comment.created', {published}, 3000)"
        ));
        all
    }
}

/// Hexadecimal digits.
fn digits(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

/// Bob's comment on another thread.
fn submission(body: &str) -> Submission {
    Submission {
        thread: ThreadKey::parse("ailleurs").unwrap(),
        thread_details: ThreadChange::default(),
        comment: NewComment {
            body: Body::parse(body).unwrap(),
            author: NewAuthor {
                author: Author {
                    id: AuthorId::parse("bob").unwrap(),
                    name: AuthorName::parse("Bob").unwrap(),
                },
                email: None,
                ip: None,
            },
            parent: None,
            external_id: None,
        },
    }
}

/// Opens the database with this version and looks at what is there.
async fn goes_on(url: &str, rows: &Rows) {
    let store = Store::open(url).await.unwrap();
    let before = store.schema().await.unwrap();
    assert_eq!(before.applied, [PREVIOUS], "it is of the previous version");
    let moderation = Moderation::open(store.clone()).await.unwrap();
    let after = store.schema().await.unwrap();
    assert_eq!(after.applied, after.known);

    let caller = |role| Caller {
        subject: Subject::parse("binta").unwrap(),
        role,
        sites: SiteScope::All,
    };
    let moderator = caller(Role::Moderator);
    let page = moderation
        .changes(
            &moderator,
            &ChangesFilter {
                limit: 10,
                ..ChangesFilter::default()
            },
        )
        .await
        .unwrap();
    let listed: Vec<_> = page.items.iter().map(|comment| comment.id).collect();
    assert_eq!(
        listed,
        [CommentId(rows.published), CommentId(rows.escalated)],
        "in the order of their latest change: the second was escalated last"
    );
    let since = moderation
        .changes(
            &moderator,
            &ChangesFilter {
                since: Some(Timestamp::from_millis(9000)),
                limit: 10,
                ..ChangesFilter::default()
            },
        )
        .await
        .unwrap();
    assert_eq!(since.items.len(), 1, "a decision counts as a change");

    let request = QueueRequest {
        queue: QueueName::Escalated,
        limit: 10,
        ..QueueRequest::default()
    };
    let queue = moderation.queue(&moderator, &request).await.unwrap();
    assert_eq!(queue.items.len(), 1);
    assert_eq!(queue.items[0].comment.id, CommentId(rows.escalated));

    let slug = palabre::domain::SiteSlug::parse("bamako").unwrap();
    let site = moderation.site_of(&moderator, Some(&slug)).await.unwrap();
    assert_eq!(site.policy.max_links, 2, "its policy stands");
    let post = async |body: &str| {
        let submitted = moderation
            .submit(&site, submission(body), None)
            .await
            .unwrap();
        let Submitted::New(comment) = submitted else {
            panic!("it is new: {submitted:?}");
        };
        comment.duplicate_of.map(|copy| copy.id)
    };
    let original = Some(CommentId(rows.published));
    assert_eq!(
        post(&TEXT.to_uppercase()).await,
        original,
        "exact copies of old comments are found"
    );
    assert_eq!(
        post(&TEXT.replace("lundi", "mardi")).await,
        original,
        "and through them near ones"
    );

    let edited = moderation
        .edit(
            &caller(Role::Site),
            CommentId(rows.published),
            Edit {
                body: Body::parse("Autre chose, merci.").unwrap(),
                version: Some(1),
            },
        )
        .await
        .unwrap();
    assert_eq!((edited.version, edited.status), (2, Status::Published));
    moderation.close().await;
}

/// What was stored before appeals were answered: the published comment was hidden, appealed about and hidden again; the
/// escalated one was appealed about and is still to be decided.
fn appealed(rows: &Rows, id: impl Fn(Uuid) -> String) -> Vec<String> {
    let (site, thread) = (id(rows.site), id(rows.thread));
    let (published, escalated) = (id(rows.published), id(rows.escalated));
    let (first, second) = (id(Uuid::now_v7()), id(Uuid::now_v7()));
    let mut all = Vec::new();
    for (decision, at, from) in [(&first, 5000, "published"), (&second, 7000, "hidden")] {
        all.push(format!(
            "INSERT INTO decisions (id, comment_id, site_id, thread_id, action, labels, moderator, at, from_status, to_status, version)
             VALUES ({decision}, {published}, {site}, {thread}, 'hide', '{{}}', 'binta', {at}, '{from}', 'hidden', 2)"
        ));
    }
    all.push(format!(
        "UPDATE comments SET decision_id = {second}, status = 'hidden', version = 2 WHERE id = {published}"
    ));
    for (comment, version, at) in [(&published, 2, 6000), (&escalated, 1, 9500)] {
        all.push(format!(
            "INSERT INTO appeals (id, comment_id, text, version, at)
             VALUES ({}, {comment}, 'Relisez.', {version}, {at})",
            id(Uuid::now_v7())
        ));
    }
    all.push(format!(
        "INSERT INTO reports (id, comment_id, reporter_id, reason, version, body, at)
         VALUES ({}, {published}, 'sage', 'spam', 1, '{TEXT}', 4500)",
        id(Uuid::now_v7())
    ));
    all
}

/// Opens that database with this version.
async fn is_answered(url: &str, rows: &Rows) {
    let store = Store::open(url).await.unwrap();
    let before = store.schema().await.unwrap().applied;
    assert_eq!(before.last(), Some(&BEFORE_ANSWERS));
    let moderation = Moderation::open(store).await.unwrap();
    let moderator = Caller {
        subject: Subject::parse("awa").unwrap(),
        role: Role::Moderator,
        sites: SiteScope::All,
    };
    let request = |words: &str, sort| QueueRequest {
        queue: QueueName::Escalated,
        sort,
        q: Some(Words::parse(words).unwrap()),
        limit: 10,
        ..QueueRequest::default()
    };
    for (words, found) in [
        ("REPON", 1),
        ("une réponse", 1),
        ("ponse", 0),
        ("marché", 0),
    ] {
        for sort in [QueueSort::Priority, QueueSort::Harm] {
            let page = moderation
                .queue(&moderator, &request(words, sort))
                .await
                .unwrap();
            assert_eq!(page.items.len(), found, "{words}");
        }
    }
    let filter = ChangesFilter {
        limit: 10,
        ..ChangesFilter::default()
    };
    let changes = moderation.changes(&moderator, &filter).await.unwrap().items;
    let of = |id| changes.iter().find(|one| one.id == CommentId(id)).unwrap();
    let answer = of(rows.published).appeal.as_ref().unwrap().answer.as_ref();
    let answer = answer.expect("it was decided after the appeal");
    assert_eq!(
        (answer.outcome, answer.note.as_ref()),
        (AppealOutcome::Upheld, None)
    );
    assert_eq!(answer.at, Timestamp::from_millis(7000));
    let waits = of(rows.escalated);
    assert!(waits.appeal.as_ref().unwrap().answer.is_none());
    let decide = |note: Option<&str>| DecisionRequest {
        verb: Verb::Approve,
        version: waits.version,
        reason: None,
        note: note.map(|note| Note::parse(note).unwrap()),
        labels: LabelOverrides::new(),
        scope: Scope::Comment,
        force: false,
    };
    let refused = moderation.decide(&moderator, waits.id, decide(None)).await;
    assert!(matches!(refused, Err(Error::NoteNeeded)), "{refused:?}");
    let decided = moderation
        .decide(&moderator, waits.id, decide(Some("Bien.")))
        .await
        .unwrap();
    assert!(decided.comment.appeal.unwrap().answer.is_some());

    let slug = palabre::domain::SiteSlug::parse("bamako").unwrap();
    let site = moderation.site_of(&moderator, Some(&slug)).await.unwrap();
    let copy = moderation
        .submit(&site, submission(TEXT), None)
        .await
        .unwrap();
    let Submitted::New(copy) = copy else {
        panic!("it is new: {copy:?}");
    };
    assert!(
        copy.reasons[0].detail.contains("a moderator hid"),
        "{copy:?}"
    );
    moderation.close().await;
}

/// A SQLite file of an earlier version with what it stored.
async fn sqlite(last: i64, statements: Vec<String>) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("palabre.db");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let pool = sqlx::SqlitePool::connect(&url).await.unwrap();
    until(last, "sqlite").await.run(&pool).await.unwrap();
    for statement in statements {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&pool)
            .await
            .unwrap();
    }
    pool.close().await;
    (directory, url)
}

/// The same on PostgreSQL, looked at by `check`, if there is one.
async fn on_postgres<F>(last: i64, statements: Vec<String>, check: impl FnOnce(String) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let Some(database) = PostgresDatabase::create_empty().await else {
        return;
    };
    let pool = sqlx::PgPool::connect(&database.url).await.unwrap();
    until(last, "postgres").await.run(&pool).await.unwrap();
    for statement in statements {
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement))
            .execute(&pool)
            .await
            .unwrap();
    }
    pool.close().await;
    let outcome = tokio::spawn(check(database.url.clone())).await;
    database.drop().await;
    if let Err(failure) = outcome {
        std::panic::resume_unwind(failure.into_panic());
    }
}

fn sqlite_id(id: Uuid) -> String {
    sqlite_bytes(id.as_bytes())
}

fn sqlite_bytes(bytes: &[u8]) -> String {
    format!("x'{}'", digits(bytes))
}

fn postgres_id(id: Uuid) -> String {
    format!("CAST('{id}' AS uuid)")
}

fn postgres_bytes(bytes: &[u8]) -> String {
    format!("decode('{}', 'hex')", digits(bytes))
}

#[tokio::test]
async fn a_sqlite_database_of_the_previous_version_goes_on() {
    let rows = Rows::new();
    let statements = rows.statements(sqlite_id, sqlite_bytes);
    let (_directory, url) = sqlite(PREVIOUS, statements).await;
    goes_on(&url, &rows).await;
}

#[tokio::test]
async fn a_postgres_database_of_the_previous_version_goes_on() {
    let rows = Rows::new();
    let statements = rows.statements(postgres_id, postgres_bytes);
    on_postgres(PREVIOUS, statements, |url| async move {
        goes_on(&url, &rows).await;
    })
    .await;
}

#[tokio::test]
async fn what_was_appealed_on_sqlite_is_answered_and_found() {
    let rows = Rows::new();
    let mut statements = rows.statements(sqlite_id, sqlite_bytes);
    statements.extend(appealed(&rows, sqlite_id));
    let (_directory, url) = sqlite(BEFORE_ANSWERS, statements).await;
    is_answered(&url, &rows).await;
}

#[tokio::test]
async fn what_was_appealed_on_postgres_is_answered_and_found() {
    let rows = Rows::new();
    let mut statements = rows.statements(postgres_id, postgres_bytes);
    statements.extend(appealed(&rows, postgres_id));
    on_postgres(BEFORE_ANSWERS, statements, |url| async move {
        is_answered(&url, &rows).await;
    })
    .await;
}
