//! Projections replayed into memory, and the live rows compared with what comes of it.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use feira_codec::Opened;
use feira_ids::LaneId;
use feira_projection_store::{Checkpoint, ModelStore, Mutation, ProjectionId, Row, Store, StoreError, Table, Value};
use feira_runtime::Projection;
use futures::TryStreamExt;
use tokio::runtime::Handle;

use crate::report::Report;
use crate::{Check, Fault, Place};

/// The most rows that are looked at once more because they differed.
const DIFFERING_MAX: usize = 10_000;

/// A share of the rows: those whose partition falls to it.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// Which, from 0.
    pub index: u64,
    /// Of how many.
    pub of: u64,
}

/// Where each projection stands on each lane: up to there it is replayed.
pub type Standing = HashMap<(ProjectionId, LaneId), u64>;

/// The rows of one share, as they must be.
pub struct Replay {
    projections: Vec<Arc<dyn Projection>>,
    standing: Arc<Standing>,
    share: Share,
    model: ModelStore,
    /// The record that wrote a row last, by the hash of table and key.
    written: HashMap<u64, (Arc<LaneId>, u64)>,
    /// Rows that records behind the position write.
    touched: HashSet<u64>,
}

/// A row that differs.
struct Differing {
    table: &'static Table,
    key: Vec<Value>,
    what: String,
}

impl Replay {
    /// An empty one of all `projections`.
    pub fn new(projections: Vec<Arc<dyn Projection>>, standing: Arc<Standing>, share: Share) -> Self {
        let (model, written, touched) = (ModelStore::new(), HashMap::new(), HashSet::new());
        Self { projections, standing, share, model, written, touched }
    }

    /// Takes in the record at `seq` of `lane`, as far as each projection had come to it.
    pub fn take(
        &mut self,
        runtime: &Handle,
        lane: &Arc<LaneId>,
        seq: u64,
        record: &Opened,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        for projection in self.projections.clone() {
            let stands = self.standing.get(&(projection.id(), (**lane).clone()));
            if stands.is_none_or(|stands| seq > *stands) {
                continue;
            }
            self.project(runtime, &*projection, lane, seq, record, report, false)?;
        }
        Ok(())
    }

    /// Takes in a record behind the position: the rows it writes may already differ.
    pub fn take_later(
        &mut self,
        runtime: &Handle,
        lane: &Arc<LaneId>,
        seq: u64,
        record: &Opened,
        report: &mut Report,
    ) -> Result<(), StoreError> {
        for projection in self.projections.clone() {
            let stands = self.standing.get(&(projection.id(), (**lane).clone()));
            if stands.is_some_and(|stands| seq > *stands) {
                self.project(runtime, &*projection, lane, seq, record, report, true)?;
            }
        }
        Ok(())
    }

    #[expect(clippy::too_many_arguments, reason = "both callers have them at hand and nobody else calls it")]
    fn project(
        &mut self,
        runtime: &Handle,
        projection: &dyn Projection,
        lane: &Arc<LaneId>,
        seq: u64,
        record: &Opened,
        report: &mut Report,
        later: bool,
    ) -> Result<(), StoreError> {
        let mut writes = match projection.apply(lane, record) {
            Ok(writes) => writes,
            Err(error) => {
                let what = format!("projection {} cannot take the record in: {error}", projection.id());
                report.fault(Fault::at(Check::Projections, Place::new(lane, seq), what));
                return Ok(());
            }
        };
        let share = self.share;
        writes.retain(|write| share.holds(write.table(), partition(write)));
        for write in &writes {
            let place = match write {
                Mutation::Upsert { table, key, .. } | Mutation::Delete { table, key, .. } => hash(table, key),
                Mutation::DeletePartition { table, partition, .. } => hash(table, partition),
            };
            self.written.insert(place, (lane.clone(), seq));
            if later {
                self.touched.insert(place);
            }
        }
        // The model has no disk to wait for; its checkpoints are of no account here.
        runtime.block_on(self.model.apply(writes, projection.id(), "", Checkpoint::default()))
    }

    /// Compares the share's rows of every table with those in `store`. Answers how many rows there are, and those that
    /// differ.
    fn compare(&self, runtime: &Handle, store: &dyn Store) -> Result<(u64, Vec<Differing>), StoreError> {
        let (mut rows, mut differing) = (0, Vec::new());
        for table in self.projections.iter().flat_map(|projection| projection.tables()) {
            let expected: Vec<Row> = runtime.block_on(self.model.all(table).try_concat())?;
            let mut expected: HashMap<Vec<Value>, Row> =
                expected.into_iter().filter_map(|row| Some((key_of(table, &row)?, row))).collect();
            rows += expected.len() as u64;
            let mut pages = store.all(table);
            while let Some(page) = runtime.block_on(pages.try_next())? {
                for row in page {
                    let Some(key) = key_of(table, &row) else { continue };
                    if !self.share.holds(table, &key[..table.partition]) {
                        continue;
                    }
                    let what = match expected.remove(&key) {
                        Some(replayed) if replayed == row => continue,
                        Some(replayed) => difference(table, &row, &replayed),
                        None => "it is there, and no event on the log writes it".to_owned(),
                    };
                    differing.push(Differing { table, key, what });
                }
            }
            let missing = "it is not there, and a replay of the log writes it";
            differing.extend(expected.into_keys().map(|key| Differing { table, key, what: missing.to_owned() }));
        }
        Ok((rows, differing))
    }

    /// Compares all rows of the share. Rows that differ and that records behind the position write are looked at once
    /// more when those are replayed, which `catch_up` does.
    pub fn judge(
        mut self,
        runtime: &Handle,
        store: &dyn Store,
        report: &mut Report,
        catch_up: &mut dyn FnMut(&mut Self, &mut Report) -> Result<(), crate::VerifyError>,
    ) -> Result<(), crate::VerifyError> {
        let (rows, differing) = self.compare(runtime, store)?;
        report.counted("rows of projections, each as a replay gives it", rows.saturating_sub(differing.len() as u64));
        if differing.is_empty() {
            return Ok(());
        }
        catch_up(&mut self, report)?;
        let mut moving: u64 = 0;
        for (place, Differing { table, key, what }) in differing.into_iter().enumerate() {
            let (row, partition) = (hash(table, &key), hash(table, &key[..table.partition]));
            if self.touched.contains(&row) || self.touched.contains(&partition) {
                let live = runtime.block_on(store.get(table, &key))?;
                let replayed = runtime.block_on(self.model.get(table, &key))?;
                moving += u64::from(live != replayed || place >= DIFFERING_MAX);
                continue;
            }
            let by = self.written.get(&row).or_else(|| self.written.get(&partition));
            let place = by.map(|(lane, seq)| Place::new(lane, *seq));
            report.fault(Fault { check: Check::Projections, place, row: Some(named(table, &key)), what });
        }
        if moving > 0 {
            report.notes.push(format!("{moving} rows were being written and could not be compared: verify again"));
        }
        Ok(())
    }
}

impl Share {
    fn holds(self, table: &Table, partition: &[Value]) -> bool {
        self.of <= 1 || hash(table, partition) % self.of == self.index
    }
}

fn partition(write: &Mutation) -> &[Value] {
    match write {
        Mutation::Upsert { table, key, .. } | Mutation::Delete { table, key, .. } => &key[..table.partition],
        Mutation::DeletePartition { partition, .. } => partition,
    }
}

fn hash(table: &Table, key: &[Value]) -> u64 {
    let mut hasher = DefaultHasher::new();
    (table.name, key).hash(&mut hasher);
    hasher.finish()
}

/// The primary key of a row; none when a store gives a row without one.
fn key_of(table: &Table, row: &Row) -> Option<Vec<Value>> {
    row.get(..table.key_len())?.iter().cloned().collect()
}

fn named(table: &Table, key: &[Value]) -> String {
    let key: Vec<String> = key.iter().map(|value| shown(Some(value))).collect();
    format!("{} ({})", table.name, key.join(", "))
}

/// The first column in which two rows differ.
fn difference(table: &Table, live: &Row, replayed: &Row) -> String {
    let columns = table.columns.iter().zip(live.iter().zip(replayed));
    let differs = |(column, (live, replayed)): (&feira_projection_store::Column, (&Option<Value>, &Option<Value>))| {
        (live != replayed).then(|| {
            format!("{} is {}, a replay gives {}", column.name, shown(live.as_ref()), shown(replayed.as_ref()))
        })
    };
    columns.filter_map(differs).collect::<Vec<_>>().join("; ")
}

/// A value in few words: what is sealed is bytes, and stays so.
fn shown(value: Option<&Value>) -> String {
    let cut = |text: String| match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    };
    match value {
        None => "nothing".to_owned(),
        Some(Value::Text(text)) => cut(format!("{text:?}")),
        Some(Value::BigInt(number)) | Some(Value::Timestamp(number)) => number.to_string(),
        Some(Value::Int(number)) => number.to_string(),
        Some(Value::Boolean(flag)) => flag.to_string(),
        Some(Value::Blob(bytes)) => cut(const_hex::encode(bytes)),
        Some(Value::TextList(texts)) => cut(format!("{texts:?}")),
    }
}
