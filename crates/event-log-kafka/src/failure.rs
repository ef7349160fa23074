//! What the library's errors mean here, and its messages in our log.

use feira_event_log::LogError;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

/// The error for something that the cluster did not answer.
pub(crate) fn unavailable(what: impl Into<String>, source: KafkaError) -> LogError {
    LogError::Unavailable { what: what.into(), source: Some(Box::new(source)) }
}

/// The same where the library gave no error.
pub(crate) fn no_answer(what: impl Into<String>) -> LogError {
    LogError::Unavailable { what: what.into(), source: None }
}

/// Whether a successor made the broker refuse this producer.
pub(crate) fn is_fence(code: RDKafkaErrorCode) -> bool {
    matches!(code, RDKafkaErrorCode::Fenced | RDKafkaErrorCode::ProducerFenced | RDKafkaErrorCode::InvalidProducerEpoch)
}

/// Whether the group refused because this process is no longer the member it takes itself for.
pub(crate) fn is_expelled(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::UnknownMemberId
            | RDKafkaErrorCode::IllegalGeneration
            | RDKafkaErrorCode::RebalanceInProgress
            | RDKafkaErrorCode::FencedInstanceId
            | RDKafkaErrorCode::FencedMemberEpoch
            | RDKafkaErrorCode::StaleMemberEpoch
            | RDKafkaErrorCode::UnreleasedInstanceId
            | RDKafkaErrorCode::AssignmentLost
            | RDKafkaErrorCode::Fenced
            | RDKafkaErrorCode::Fatal
    )
}

/// A client's context that only passes the library's messages on. An outage is told by whoever meets it, so what the
/// library says of one is for those who look closer.
pub(crate) struct Told;

impl ClientContext for Told {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        tell(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        tracing::debug!(error = %error, "Kafka client: {reason}");
    }
}

impl ConsumerContext for Told {}

/// Passes a message of the library on.
pub(crate) fn tell(level: RDKafkaLogLevel, facility: &str, message: &str) {
    match level {
        RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
            tracing::warn!(facility, "Kafka client: {message}");
        }
        RDKafkaLogLevel::Error
        | RDKafkaLogLevel::Warning
        | RDKafkaLogLevel::Notice
        | RDKafkaLogLevel::Info
        | RDKafkaLogLevel::Debug => tracing::debug!(facility, "Kafka client: {message}"),
    }
}
