//! The topics: made when they are missing, held to what was configured when they are there.

use std::time::Duration;

use feira_event_log::LogError;
use futures::executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::client::Client;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

use crate::config::KafkaConfig;
use crate::failure::{Told, no_answer, unavailable};
use crate::names::Names;
use crate::writer::RECORD_BYTES_MAX;

/// How long one question or order may take.
const ASK: Duration = Duration::from_secs(5);

/// Makes the topics that are missing and checks those that are there.
pub(crate) fn ensure(config: &KafkaConfig, names: &Names) -> Result<(), LogError> {
    let admin: AdminClient<Told> =
        config.asking().create_with_context(Told).map_err(|error| unavailable("a client that makes topics", error))?;
    let copies = || TopicReplication::Fixed(i32::from(config.replication_factor));
    // With three copies two must have a record before it is acknowledged: one broker may then be away.
    let in_sync = if config.replication_factor >= 3 { "2" } else { "1" };
    let bytes_max = (RECORD_BYTES_MAX * 2).to_string();
    for (service, lanes) in config.services() {
        let name = names.events(&service);
        let found = match partitions(admin.inner(), &name)? {
            Some(found) => found,
            None => {
                let topic = NewTopic::new(&name, lanes as i32, copies())
                    .set("cleanup.policy", "delete")
                    .set("retention.ms", "-1")
                    .set("retention.bytes", "-1")
                    .set("min.insync.replicas", in_sync)
                    .set("unclean.leader.election.enable", "false")
                    .set("max.message.bytes", &bytes_max)
                    .set("message.timestamp.type", "CreateTime")
                    // A record says itself when it was; a broker's clock is no reason to refuse it.
                    .set("message.timestamp.before.max.ms", "9223372036854775807")
                    .set("message.timestamp.after.max.ms", "9223372036854775807");
                create(&admin, &topic)?;
                await_partitions(admin.inner(), &name)?
            }
        };
        if found != lanes {
            return Err(LogError::Damaged {
                place: format!("topic {name}"),
                reason: format!(
                    "it has {found} lanes and {lanes} are configured: every aggregate would be looked for in another \
                     lane. Configure {found}, or use another prefix"
                ),
            });
        }
    }
    let name = names.lanes();
    let widest = config.lanes.values().copied().max().unwrap_or(1);
    match partitions(admin.inner(), &name)? {
        None => {
            let topic = NewTopic::new(&name, widest as i32, copies())
                .set("cleanup.policy", "compact")
                .set("min.insync.replicas", in_sync);
            create(&admin, &topic)?;
            await_partitions(admin.inner(), &name)?;
        }
        // Announcements are found by their key in whatever partition: more of them change nothing.
        Some(found) if found < widest => widen(&admin, &name, widest)?,
        Some(_) => {}
    }
    Ok(())
}

/// How many partitions a topic has; none when there is no such topic.
pub(crate) fn partitions(client: &Client<Told>, name: &str) -> Result<Option<u32>, LogError> {
    let failed = |error| unavailable(format!("asking for topic {name}"), error);
    let metadata = client.fetch_metadata(Some(name), ASK).map_err(failed)?;
    let Some(topic) = metadata.topics().iter().find(|topic| topic.name() == name) else { return Ok(None) };
    match topic.error().map(RDKafkaErrorCode::from) {
        Some(RDKafkaErrorCode::UnknownTopicOrPartition) => Ok(None),
        Some(code) => Err(failed(KafkaError::MetadataFetch(code))),
        None if topic.partitions().iter().any(|partition| partition.leader() < 0) => {
            Err(no_answer(format!("topic {name}: a partition has no leader")))
        }
        None => Ok(Some(topic.partitions().len() as u32)),
    }
}

/// Waits until a topic that was just made is known with its leaders.
fn await_partitions(client: &Client<Told>, name: &str) -> Result<u32, LogError> {
    crate::wait::until(&format!("topic {name}"), ASK, || {
        partitions(client, name)?.filter(|found| *found > 0).ok_or_else(|| no_answer(format!("topic {name}")))
    })
}

fn create(admin: &AdminClient<Told>, topic: &NewTopic<'_>) -> Result<(), LogError> {
    let name = topic.name;
    let outcome = block_on(admin.create_topics([topic], &orders()))
        .map_err(|error| unavailable(format!("making topic {name}"), error))?;
    match outcome.into_iter().next() {
        Some(Ok(_)) => {
            tracing::info!("made topic {name} with {} partitions", topic.num_partitions);
            Ok(())
        }
        // Another process was quicker.
        Some(Err((_, RDKafkaErrorCode::TopicAlreadyExists))) => Ok(()),
        Some(Err((_, code))) => Err(unavailable(format!("making topic {name}"), KafkaError::AdminOp(code))),
        None => Err(no_answer(format!("making topic {name}"))),
    }
}

fn widen(admin: &AdminClient<Told>, name: &str, partitions: u32) -> Result<(), LogError> {
    let wider = NewPartitions::new(name, partitions as usize);
    let failed = |error| unavailable(format!("widening topic {name}"), error);
    match block_on(admin.create_partitions([&wider], &orders())).map_err(failed)?.into_iter().next() {
        // Another process may have been quicker: then the number asked for is no longer an increase.
        Some(Ok(_) | Err((_, RDKafkaErrorCode::InvalidPartitions))) => Ok(()),
        Some(Err((_, code))) => Err(failed(KafkaError::AdminOp(code))),
        None => Err(no_answer(format!("widening topic {name}"))),
    }
}

fn orders() -> AdminOptions {
    AdminOptions::new().request_timeout(Some(ASK)).operation_timeout(Some(ASK))
}
