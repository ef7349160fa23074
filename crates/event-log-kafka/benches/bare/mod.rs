//! The least that Kafka asks for durable batches: a loop of transactions with the lane's own settings, without envelopes
//! and checks.

use std::time::Duration;

use feira_event_log_kafka::KafkaConfig;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};

/// The service whose one lane is written to.
pub const SERVICE: &str = "bare";

/// Appends without a lane.
pub struct Bare {
    producer: BaseProducer,
    topic: String,
}

impl Bare {
    /// For a log that has [`SERVICE`].
    pub fn new(config: &KafkaConfig) -> Self {
        let producer: BaseProducer = ClientConfig::new()
            .set("bootstrap.servers", &config.brokers)
            .set("transactional.id", format!("{}{SERVICE}", config.prefix))
            .set("linger.ms", "0")
            .set("compression.type", "lz4")
            .set("retry.backoff.ms", "1")
            .set("retry.backoff.max.ms", "20")
            .create()
            .expect("a producer is made");
        producer.init_transactions(Duration::from_secs(10)).expect("the producer is let in");
        Self { producer, topic: format!("{}{SERVICE}.events.v1", config.prefix) }
    }

    /// Appends values as one transaction.
    pub fn append<'a>(&self, values: impl IntoIterator<Item = &'a [u8]>) {
        self.producer.begin_transaction().expect("a transaction begins");
        for value in values {
            let record = BaseRecord::to(&self.topic).partition(0).key("cart:BR.1").payload(value);
            self.producer.send(record).map_err(|(error, _)| error).expect("the record is queued");
        }
        while self.producer.in_flight_count() > 0 {
            self.producer.poll(Duration::ZERO);
            std::thread::sleep(Duration::from_micros(150));
        }
        self.producer.commit_transaction(Duration::from_secs(7)).expect("the transaction commits");
    }
}
