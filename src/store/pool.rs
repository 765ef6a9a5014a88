//! Connections to PostgreSQL, each given up as soon as it does not answer in time.
//!
//! sqlx's own pool asks every connection that comes back whether it still answers, and waits for that as long as it
//! takes, holding its place in the pool (sqlx issue 4349): a network that falls silent takes the places one by one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use sqlx::{Connection as _, Error, PgConnection, postgres::PgConnectOptions};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};

/// How long a statement may take: longer than a lock is waited for.
pub(super) const STATEMENT_PATIENCE: Duration = Duration::from_secs(8);
/// How long a connection that was idle may take to say that it is there.
const PING_PATIENCE: Duration = Duration::from_secs(1);
/// One that answered so short a time ago is not asked whether it is there.
const SURELY_THERE: Duration = Duration::from_secs(1);

/// The connections of one pool.
#[derive(Debug, Clone, Copy)]
pub struct PoolState {
    pub name: &'static str,
    pub idle: u32,
    /// In use just now.
    pub busy: u32,
}

#[derive(Debug, Clone)]
pub struct Pool(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    options: PgConnectOptions,
    size: u32,
    patience: Duration,
    places: Arc<Semaphore>,
    /// With the moment when each came back.
    idle: Mutex<Vec<(PgConnection, Instant)>>,
}

/// A connection and its place. It goes back to the pool if it is known to be sound, and is cut off if it is not.
#[derive(Debug)]
pub struct Lease {
    connection: Option<PgConnection>,
    sound: bool,
    in_transaction: bool,
    pool: Pool,
    place: Option<OwnedSemaphorePermit>,
}

/// The outcome of something asked of a database, or that none came in time.
pub(super) async fn in_time<T>(
    patience: Duration,
    asked: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    timeout(patience, asked)
        .await
        .unwrap_or_else(|_| Err(Error::Io(std::io::ErrorKind::TimedOut.into())))
}

impl Pool {
    pub fn new(options: PgConnectOptions, size: u32, patience: Duration) -> Self {
        Self(Arc::new(Shared {
            options,
            size,
            patience,
            places: Arc::new(Semaphore::new(size as usize)),
            idle: Mutex::default(),
        }))
    }

    pub fn options(&self) -> &PgConnectOptions {
        &self.0.options
    }

    /// A connection that answers.
    pub async fn acquire(&self) -> Result<Lease, Error> {
        let found = async {
            let place = Arc::clone(&self.0.places)
                .acquire_owned()
                .await
                .map_err(|_| Error::PoolClosed)?;
            let connection = match self.idle().await {
                Some(connection) => connection,
                None => PgConnection::connect_with(&self.0.options).await?,
            };
            Ok(Lease {
                connection: Some(connection),
                sound: true,
                in_transaction: false,
                pool: self.clone(),
                place: Some(place),
            })
        };
        timeout(self.0.patience, found)
            .await
            .unwrap_or(Err(Error::PoolTimedOut))
    }

    /// An idle connection that answers. Where one does not, none of them is trusted.
    async fn idle(&self) -> Option<PgConnection> {
        let (mut connection, since) = self.lock().pop()?;
        if since.elapsed() < SURELY_THERE {
            return Some(connection);
        }
        match in_time(PING_PATIENCE, connection.ping()).await {
            Ok(()) => Some(connection),
            Err(error) => {
                tracing::info!(%error, "idle connections are given up");
                self.lock().clear();
                None
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<(PgConnection, Instant)>> {
        self.0.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many connections are idle, and how many in use.
    pub fn state(&self) -> (u32, u32) {
        let busy = self.0.size as usize - self.0.places.available_permits();
        (self.lock().len() as u32, busy as u32)
    }

    /// Takes no more; closes what is idle, after what is in use.
    pub async fn close(&self) {
        let _ = timeout(self.0.patience, self.0.places.acquire_many(self.0.size)).await;
        self.0.places.close();
        let idle = std::mem::take(&mut *self.lock());
        for (connection, _) in idle {
            let _ = in_time(PING_PATIENCE, connection.close()).await;
        }
    }
}

/// Asks a lease's connection something: `asked!(lease, connection => query.execute(connection))`.
macro_rules! asked {
    ($lease:expr, $connection:ident => $asked:expr) => {
        match $lease.asking() {
            Ok($connection) => {
                let patience = $crate::store::pool::STATEMENT_PATIENCE;
                let outcome = $crate::store::pool::in_time(patience, $asked).await;
                $lease.answered(outcome)
            }
            Err(error) => Err(error),
        }
    };
}
pub(super) use asked;

impl Lease {
    /// The connection, to ask something of. Whoever does says with [`Lease::answered`] what came of it.
    pub(super) fn asking(&mut self) -> Result<&mut PgConnection, Error> {
        self.sound = false;
        self.connection.as_mut().ok_or(Error::PoolClosed)
    }

    /// Takes note of an outcome: with an answer the connection is sound again.
    pub(super) fn answered<T>(&mut self, outcome: Result<T, Error>) -> Result<T, Error> {
        self.sound = matches!(
            outcome,
            Ok(_) | Err(Error::Database(_) | Error::RowNotFound)
        );
        if !self.sound {
            // Where one does not answer, none of them is trusted.
            self.pool.lock().clear();
        }
        outcome
    }

    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        self.simple("BEGIN").await?;
        // Until it is committed or rolled back the connection is not given to anybody else.
        self.in_transaction = true;
        Ok(())
    }

    pub(super) async fn commit(mut self) -> Result<(), Error> {
        self.simple("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }

    async fn simple(&mut self, statement: &'static str) -> Result<(), Error> {
        asked!(self, connection => sqlx::Executor::execute(connection, statement)).map(|_| ())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.take().filter(|_| self.sound) else {
            return;
        };
        if !self.in_transaction {
            self.pool.lock().push((connection, Instant::now()));
            return;
        }
        // Nothing of the transaction stays, and the connection is nobody's until that is sure.
        let (pool, place) = (self.pool.clone(), self.place.take());
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let undone = sqlx::Executor::execute(&mut connection, "ROLLBACK");
                if in_time(PING_PATIENCE, undone).await.is_ok() {
                    pool.lock().push((connection, Instant::now()));
                }
                drop(place);
            });
        }
    }
}
