//! Keys in a keyspace of their own, so that who may read rows need not be able to open them.
//!
//! Two processes may ask for the first key of a subject at the same moment, and only one key may ever seal: the one
//! place where a write depends on what is there, and therefore the one place with conditional statements. They carry the
//! database's own timestamps, and no other statement ever writes to this table. A destroyed key leaves a row that says so;
//! its bytes are gone from the disks when the database has compacted them away.
//!
//! A keyspace with tablets needs a ScyllaDB that has conditional statements on them (2025.4 or later).

use std::sync::Arc;

use async_trait::async_trait;
use feira_projection_store::{Column, ColumnType, StoreError, Table};
use feira_sealing::{Key, KeyCache, KeyError, Keyring, check_subject};
use scylla::statement::prepared::PreparedStatement;
use scylla::statement::{Consistency, SerialConsistency};

use crate::session::{Cql, retried, unreadable};
use crate::value::Bind;
use crate::{CqlStore, schema, statement};

/// Where keys are.
static KEYS: Table = Table {
    name: "keys_v1",
    columns: &[
        Column { name: "subject", kind: ColumnType::Text },
        Column { name: "content", kind: ColumnType::Blob },
        Column { name: "destroyed", kind: ColumnType::Boolean },
    ],
    partition: 1,
    clustering: &[],
    doc: "The key of each subject. Written by conditional statements alone: their timestamps must not meet others.",
};

/// A keyring in the database of a [`CqlStore`], in the keyspace `{keyspace}_keys`.
pub struct CqlKeyring {
    cql: Arc<Cql>,
    cache: KeyCache,
    select: PreparedStatement,
    /// The same as of now, after all conditional statements.
    select_serial: PreparedStatement,
    insert_key: PreparedStatement,
    insert_destroyed: PreparedStatement,
    update_destroyed: PreparedStatement,
}

impl CqlKeyring {
    /// Opens the keyring beside `store`, making its keyspace where there is none.
    ///
    /// # Errors
    /// As [`CqlStore::connect`].
    pub async fn open(store: &CqlStore) -> Result<Self, StoreError> {
        let (cql, keyspace) = (store.cql.clone(), format!("{}_keys", store.config.keyspace));
        schema::ensure_keyspace(&cql, &store.config, &keyspace).await?;
        schema::ensure_table(&cql, &keyspace, &KEYS).await?;
        let select = cql.prepare(KEYS.name, &statement::select_one(&keyspace, &KEYS)).await?;
        let mut select_serial = select.clone();
        select_serial.set_consistency(Consistency::Serial);
        let conditional = async |text: String| {
            let mut prepared = cql.prepare_conditional(KEYS.name, &text).await?;
            // Over all datacenters: a key made in each would be two.
            prepared.set_serial_consistency(Some(SerialConsistency::Serial));
            Ok::<_, StoreError>(prepared)
        };
        let table = format!("{keyspace}.{}", KEYS.name);
        Ok(Self {
            insert_key: conditional(format!("INSERT INTO {table} (subject, content) VALUES (?, ?) IF NOT EXISTS"))
                .await?,
            insert_destroyed: conditional(format!(
                "INSERT INTO {table} (subject, destroyed) VALUES (?, true) IF NOT EXISTS"
            ))
            .await?,
            update_destroyed: conditional(format!(
                "UPDATE {table} SET content = null, destroyed = true WHERE subject = ? IF EXISTS"
            ))
            .await?,
            cql,
            cache: KeyCache::new(),
            select,
            select_serial,
        })
    }

    /// The key of `subject`, as `select` sees it.
    async fn read(&self, select: &PreparedStatement, subject: &str) -> Result<Key, KeyError> {
        let read = retried(KEYS.name, "read a key", || self.cql.session.execute_unpaged(select, (subject,)));
        let rows = read.await.map_err(failed)?.into_rows_result().map_err(unreadable_key)?;
        let row = rows.maybe_first_row::<(&str, Option<&[u8]>, Option<bool>)>().map_err(unreadable_key)?;
        match row {
            None => Err(KeyError::Missing),
            Some((_, _, Some(true))) => Err(KeyError::Erased),
            Some((_, content, _)) => content
                .and_then(Key::from_bytes)
                .ok_or_else(|| KeyError::Damaged { reason: "the row has no 32 bytes".into() }),
        }
    }

    /// Sends a conditional statement; answers whether it was carried out.
    async fn condition(&self, prepared: &PreparedStatement, values: &[Bind<'_>]) -> Result<bool, KeyError> {
        let sent = retried(KEYS.name, "write a key", || self.cql.session.execute_unpaged(prepared, values));
        let rows = sent.await.map_err(failed)?.into_rows_result().map_err(unreadable_key)?;
        // The databases answer with other columns beside this one, in other numbers.
        let place = rows.column_specs().iter().position(|column| column.name() == "[applied]");
        let place = place.ok_or_else(|| unreadable_key("the answer does not say whether it was applied"))?;
        let row = rows.first_row::<scylla::value::Row>().map_err(unreadable_key)?;
        match row.columns.get(place) {
            Some(Some(scylla::value::CqlValue::Boolean(applied))) => Ok(*applied),
            _ => Err(unreadable_key("the answer does not say whether it was applied")),
        }
    }

    async fn make(&self, subject: &str) -> Result<Key, KeyError> {
        let key = Key::generate()?;
        let values = [Bind::Text(subject), Bind::Blob(key.as_bytes())];
        if self.condition(&self.insert_key, &values).await? {
            return Ok(key);
        }
        // Somebody was first; or we were, and did not hear the answer.
        self.read(&self.select_serial, subject).await
    }
}

#[async_trait]
impl Keyring for CqlKeyring {
    async fn key(&self, subject: &str) -> Result<Key, KeyError> {
        check_subject(subject)?;
        if let Some(key) = self.cache.get(subject) {
            return Ok(key);
        }
        let begun = self.cache.begin();
        let key = match self.read(&self.select, subject).await {
            Err(KeyError::Missing) => self.make(subject).await?,
            found => found?,
        };
        self.cache.put(subject, &key, begun);
        Ok(key)
    }

    async fn existing(&self, subject: &str) -> Result<Key, KeyError> {
        check_subject(subject)?;
        if let Some(key) = self.cache.get(subject) {
            return Ok(key);
        }
        let begun = self.cache.begin();
        let key = match self.read(&self.select, subject).await {
            // Another datacenter may have made it just now.
            Err(KeyError::Missing) => self.read(&self.select_serial, subject).await?,
            found => found?,
        };
        self.cache.put(subject, &key, begun);
        Ok(key)
    }

    async fn destroy(&self, subject: &str) -> Result<(), KeyError> {
        check_subject(subject)?;
        let subject_only = [Bind::Text(subject)];
        let destroyed = async {
            // Rows are never deleted: when the insert finds one, the update finds it too.
            if !self.condition(&self.insert_destroyed, &subject_only).await?
                && !self.condition(&self.update_destroyed, &subject_only).await?
            {
                return Err(unreadable_key("the row of a key was deleted"));
            }
            Ok(())
        };
        let destroyed = destroyed.await;
        self.cache.remove(subject);
        destroyed
    }
}

fn failed(error: StoreError) -> KeyError {
    match error {
        StoreError::Unavailable { what, source } => KeyError::Unavailable { what, source },
        StoreError::Damaged { .. } | StoreError::Invalid { .. } => unreadable_key(error),
    }
}

fn unreadable_key(error: impl std::fmt::Display) -> KeyError {
    KeyError::Damaged { reason: unreadable(&KEYS, error).to_string() }
}
