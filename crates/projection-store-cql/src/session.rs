//! The connection to the database: found at start, statements prepared once, requests tried again.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use feira_projection_store::{StoreError, Table, lint_cql, name_is_valid};
use scylla::client::execution_profile::ExecutionProfile;
use scylla::client::session::Session;
use scylla::client::session_builder::SessionBuilder;
use scylla::errors::{BadQuery, DbError, ExecutionError, PrepareError, RequestAttemptError};
use scylla::policies::load_balancing::DefaultPolicy;
use scylla::policies::retry::DefaultRetryPolicy;
use scylla::statement::Consistency;
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::unprepared::Statement;

use crate::CqlConfig;

/// How often a request is sent before the store counts as not available.
const ATTEMPTS: u32 = 5;

/// The pause after the first attempt; each later one is four times as long.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

/// How long a change of the schema or the emptying of a table may take.
const SLOW_TIMEOUT: Duration = Duration::from_secs(30);

/// Rows read in one answer. The database may give fewer and still have more.
const PAGE_ROWS: i32 = 500;

/// A connected session that remembers its statements.
pub struct Cql {
    pub session: Session,
    prepared: RwLock<HashMap<Arc<str>, PreparedStatement>>,
    /// One change of the schema at a time.
    migrating: tokio::sync::Mutex<()>,
}

impl Cql {
    /// Connects, waiting for a database that does not answer yet.
    pub async fn connect(config: &CqlConfig) -> Result<Self, StoreError> {
        let wrong = |reason: &str| StoreError::Invalid { table: "any table".into(), reason: reason.to_owned() };
        if !name_is_valid(&config.keyspace) {
            return Err(wrong("a keyspace is named with up to 48 lower-case letters, digits, underscores"));
        }
        if config.nodes.is_empty() {
            return Err(wrong("no node of the database is given"));
        }
        let began = Instant::now();
        let mut attempts = 0_u32;
        loop {
            let error = match builder(config).build().await {
                Ok(session) => {
                    return Ok(Self { session, prepared: RwLock::default(), migrating: tokio::sync::Mutex::default() });
                }
                Err(error) => error,
            };
            if began.elapsed() >= config.start_wait {
                let what = format!("connect to the CQL database at {}", config.nodes.join(", "));
                return Err(StoreError::Unavailable { what, source: Some(Box::new(error)) });
            }
            if attempts.is_multiple_of(5) {
                let left = config.start_wait.saturating_sub(began.elapsed()).as_secs();
                tracing::warn!(
                    nodes = ?config.nodes, error = %error,
                    "waiting up to {left} s for the CQL database at {}", config.nodes.join(", ")
                );
            }
            attempts += 1;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    }

    /// `cql` prepared, from memory where it was prepared before.
    pub async fn prepare(&self, table: &str, cql: &str) -> Result<PreparedStatement, StoreError> {
        // Every statement that is bound comes through here: a test that sends it would find what the lint refuses.
        debug_assert_eq!(lint_cql(cql), [], "{cql}");
        self.prepare_conditional(table, cql).await
    }

    /// [`Cql::prepare`] for the keyring, whose one conditional statement the lint would refuse.
    pub async fn prepare_conditional(&self, table: &str, cql: &str) -> Result<PreparedStatement, StoreError> {
        if let Some(prepared) = self.prepared.read().unwrap_or_else(PoisonError::into_inner).get(cql) {
            return Ok(prepared.clone());
        }
        let mut statement = Statement::new(cql);
        statement.set_is_idempotent(true);
        statement.set_page_size(PAGE_ROWS);
        let prepared = retried(table, "prepare a statement", || async {
            self.session.prepare(statement.clone()).await.map_err(ExecutionError::from)
        })
        .await?;
        let mut known = self.prepared.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(cql.into(), prepared.clone());
        Ok(prepared)
    }

    /// Changes the schema or empties a table, one at a time, and waits until all nodes agree.
    pub async fn change(&self, table: &str, cql: &str) -> Result<(), StoreError> {
        debug_assert_eq!(lint_cql(cql), [], "{cql}");
        let mut statement = Statement::new(cql);
        statement.set_is_idempotent(true);
        statement.set_request_timeout(Some(SLOW_TIMEOUT));
        let _migrating = self.migrating.lock().await;
        retried(table, "change the schema", || async {
            self.session.query_unpaged(statement.clone(), ()).await?;
            self.session.await_schema_agreement().await.map(drop).map_err(ExecutionError::from)
        })
        .await
    }
}

fn builder(config: &CqlConfig) -> SessionBuilder {
    let mut policy = DefaultPolicy::builder().token_aware(true);
    if let Some(datacenter) = &config.datacenter {
        policy = policy.prefer_datacenter(datacenter.clone());
    }
    let profile = ExecutionProfile::builder()
        .consistency(Consistency::LocalQuorum)
        .request_timeout(Some(config.request_timeout))
        .retry_policy(Arc::new(DefaultRetryPolicy::new()))
        .load_balancing_policy(policy.build())
        .build();
    let mut builder = SessionBuilder::new()
        .known_nodes(&config.nodes)
        .connection_timeout(config.request_timeout)
        .default_execution_profile_handle(profile.into_handle());
    if let Some((user, password)) = &config.credentials {
        builder = builder.user(user, password);
    }
    builder
}

/// Does `attempt` until it succeeds, fails for good, or has failed too often.
pub async fn retried<T, F>(table: &str, what: &str, mut attempt: impl FnMut() -> F) -> Result<T, StoreError>
where
    F: Future<Output = Result<T, ExecutionError>> + Send,
{
    let mut pause = FIRST_PAUSE;
    for number in 1.. {
        let error = match attempt().await {
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if is_for_good(&error) {
            return Err(StoreError::Invalid { table: table.to_owned(), reason: format!("{what}: {error}") });
        }
        if number == ATTEMPTS {
            let what = format!("{what} of {table}, tried {ATTEMPTS} times");
            return Err(StoreError::Unavailable { what, source: Some(Box::new(error)) });
        }
        tracing::debug!(table, error = %error, attempt = number, "could not {what}, trying again");
        tokio::time::sleep(pause).await;
        pause *= 4;
    }
    unreachable!("the loop ends at the last attempt")
}

/// Whether trying again cannot help: the statement or its values are wrong, or we may not.
fn is_for_good(error: &ExecutionError) -> bool {
    let attempt = match error {
        ExecutionError::BadQuery(BadQuery::SerializationError(_)) => return true,
        ExecutionError::LastAttemptError(attempt) => attempt,
        ExecutionError::PrepareError(PrepareError::AllAttemptsFailed { first_attempt }) => first_attempt,
        _ => return false,
    };
    match attempt {
        RequestAttemptError::SerializationError(_) => true,
        RequestAttemptError::DbError(error, _) => matches!(
            error,
            DbError::SyntaxError
                | DbError::Invalid
                | DbError::AlreadyExists { .. }
                | DbError::AuthenticationError
                | DbError::Unauthorized
                | DbError::ConfigError
        ),
        _ => false,
    }
}

/// The failure to read an answer of the database.
pub fn unreadable(table: &Table, error: impl std::fmt::Display) -> StoreError {
    StoreError::Damaged { table: table.name.to_owned(), reason: error.to_string() }
}
