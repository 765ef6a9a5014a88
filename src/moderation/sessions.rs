//! Sessions of moderators: who signs in to the page, how, and for how long.
//!
//! A session is a random number in a cookie; the database has its digest only. Each request looks its session up, so that
//! whom an admin disables is out at once.
//!
//! A hash takes a while, and the account may change meanwhile: whoever writes looks at it once more.

use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::{
    Error, Moderation, Thing,
    credentials::{digest, hash, secret, verify},
};
use crate::{
    domain::{Account, Caller, Password, Role, SessionId, SiteScope, SiteSlug, Subject, Timestamp},
    store::{Lock, SessionRow},
};

/// How long a session lasts, in milliseconds.
const SESSION_LASTS: i64 = 7 * 24 * 60 * 60 * 1000;
/// A session in use is noted no more often than this, in milliseconds.
const SEEN_EVERY: i64 = 60 * 1000;
/// How long a request waits for that.
const SEEN_PATIENCE: Duration = Duration::from_millis(200);
/// Characters kept of what a browser says it is.
const AGENT: usize = 200;

/// Who is signed in.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    pub name: String,
    #[schema(value_type = String)]
    pub role: Role,
    /// Slugs of the sites they may moderate.
    pub sites: Vec<SiteSlug>,
    pub expires_at: Timestamp,
}

/// One of the places somebody is signed in at.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = OpenSession)]
pub struct OpenSession {
    pub id: SessionId,
    pub created_at: Timestamp,
    pub seen_at: Timestamp,
    /// What the browser says it is.
    pub agent: String,
    /// The one that asks.
    pub current: bool,
}

/// What somebody proves themselves by.
pub enum Proof {
    Password { name: String, password: String },
    Link(String),
}

/// Whose account somebody says is theirs.
enum Claimed {
    /// The password was the one of this hash.
    Account { name: String, hash: Option<String> },
    /// The digest of a link, still to be spent.
    Link(Vec<u8>),
}

impl Moderation {
    /// Signs somebody in; the cookie's secret, and who they are.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`] when the proof is none; what is wrong with it is not told.
    #[tracing::instrument(skip_all)]
    pub async fn sign_in(&self, proof: Proof, agent: &str) -> Result<(String, SessionView), Error> {
        let now = self.clock.now();
        // What takes a while is done before anything is held.
        let claimed = match proof {
            Proof::Link(link) => Claimed::Link(digest(&link)),
            Proof::Password { name, password } => {
                let name = Subject::parse(&name).map_err(|_| Error::NotSignedIn)?;
                let mut conn = self.store.read().await?;
                let stored = conn.db().account(name.as_str(), Lock::None).await?;
                drop(conn);
                let hash = stored.and_then(|stored| stored.password);
                verify(password, hash.clone()).await?;
                Claimed::Account {
                    name: name.as_str().to_owned(),
                    hash,
                }
            }
        };
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let (name, hash) = match claimed {
            Claimed::Account { name, hash } => (name, Some(hash)),
            Claimed::Link(digest) => {
                let spent = db.spend_link(&digest, now).await?;
                (spent.ok_or(Error::NotSignedIn)?, None)
            }
        };
        let account = db
            .account(&name, Lock::Update)
            .await?
            .filter(|stored| !stored.account.disabled)
            .filter(|stored| hash.as_ref().is_none_or(|hash| stored.password == *hash))
            .ok_or(Error::NotSignedIn)?
            .account;
        if hash.is_none() {
            // Who comes by a link chooses a password anew, and nobody else is to do it for them.
            db.set_password(&name, None).await?;
            db.end_other_sessions(&name, None).await?;
        }
        let (cookie, digest) = secret()?;
        let session = SessionRow {
            id: SessionId::generate().0,
            moderator: name,
            agent: agent.chars().take(AGENT).collect(),
            created_at: now.millis(),
            seen_at: now.millis(),
            expires_at: now.millis() + SESSION_LASTS,
        };
        db.insert_session(&session, &digest).await?;
        tx.commit().await?;
        tracing::info!(moderator = account.name, "signed in");
        let caller = caller(&account).ok_or(Error::NotSignedIn)?;
        let view = self.session_view(&caller, &session).await?;
        Ok((cookie, view))
    }

    /// Whose session a cookie is, and the session.
    ///
    /// # Errors
    /// [`Error::NotSignedIn`] when it is nobody's, or has ended.
    pub async fn verify_session(&self, cookie: &str) -> Result<(Caller, SessionRow), Error> {
        let now = self.clock.now();
        let mut conn = self.store.read().await?;
        let mut db = conn.db();
        let session = db
            .session(&digest(cookie))
            .await?
            .filter(|session| session.expires_at > now.millis())
            .ok_or(Error::NotSignedIn)?;
        let stored = db.account(&session.moderator, Lock::None).await?;
        let caller = stored
            .filter(|stored| !stored.account.disabled)
            .and_then(|stored| caller(&stored.account))
            .ok_or(Error::NotSignedIn)?;
        drop(conn);
        if session.seen_at + SEEN_EVERY < now.millis() {
            // A note, which no request is to wait or to fail for.
            let note = async {
                let mut tx = self.store.begin().await?;
                tx.db().see_session(SessionId(session.id), now).await?;
                tx.commit().await
            };
            if !matches!(timeout(SEEN_PATIENCE, note).await, Ok(Ok(()))) {
                tracing::debug!("that a session is in use could not be noted");
            }
        }
        Ok((caller, session))
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn session_view(
        &self,
        caller: &Caller,
        session: &SessionRow,
    ) -> Result<SessionView, Error> {
        let sites = self.sites_of(caller, None, false).await?;
        Ok(SessionView {
            name: caller.subject.as_str().to_owned(),
            role: caller.role,
            sites: sites.into_iter().map(|site| site.slug).collect(),
            expires_at: Timestamp::from_millis(session.expires_at),
        })
    }

    /// The places somebody is signed in at.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_sessions(&self, current: &SessionRow) -> Result<Vec<OpenSession>, Error> {
        let rows = self
            .store
            .read()
            .await?
            .db()
            .sessions(&current.moderator)
            .await?;
        let sessions = rows.into_iter().map(|row| OpenSession {
            current: row.id == current.id,
            id: SessionId(row.id),
            created_at: Timestamp::from_millis(row.created_at),
            seen_at: Timestamp::from_millis(row.seen_at),
            agent: row.agent,
        });
        Ok(sessions.collect())
    }

    /// Ends a session of whoever is signed in.
    ///
    /// # Errors
    /// When it is not theirs.
    pub async fn end_session(&self, current: &SessionRow, id: SessionId) -> Result<(), Error> {
        let mut tx = self.store.begin().await?;
        let ended = tx.db().end_session(&current.moderator, id).await?;
        tx.commit().await?;
        if ended {
            Ok(())
        } else {
            Err(Error::NotFound(Thing::Session))
        }
    }

    /// Gives whoever is signed in another password, and ends their other sessions. Who has a password proves it.
    ///
    /// # Errors
    /// [`Error::WrongPassword`] when the old one is not theirs.
    pub async fn change_password(
        &self,
        current: &SessionRow,
        old: Option<String>,
        new: Password,
    ) -> Result<(), Error> {
        let name = &current.moderator;
        let mut conn = self.store.read().await?;
        let stored = conn.db().account(name, Lock::None).await?;
        drop(conn);
        let had = stored.and_then(|stored| stored.password);
        if had.is_some() {
            let old = old.ok_or(Error::WrongPassword)?;
            match verify(old, had.clone()).await {
                Err(Error::NotSignedIn) => return Err(Error::WrongPassword),
                outcome => outcome?,
            }
        }
        let hash = hash(new).await?;
        let mut tx = self.store.begin().await?;
        let mut db = tx.db();
        let stored = db.account(name, Lock::Update).await?;
        let is_as_it_was =
            stored.is_some_and(|stored| !stored.account.disabled && stored.password == had);
        let open = db.sessions(name).await?;
        if !is_as_it_was || open.iter().all(|session| session.id != current.id) {
            return Err(Error::NotSignedIn);
        }
        db.set_password(name, Some(&hash)).await?;
        db.end_other_sessions(name, Some(SessionId(current.id)))
            .await?;
        tx.commit().await?;
        Ok(())
    }
}

fn caller(account: &Account) -> Option<Caller> {
    Some(Caller {
        subject: Subject::parse(&account.name).ok()?,
        role: account.role,
        sites: SiteScope::from_names(&account.sites)?,
    })
}
