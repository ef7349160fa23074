//! Process managers: what follows from an event elsewhere, as a pure function from the event to what is to be asked.
//!
//! A process keeps nothing: all that it must know is in the event, and what must be remembered is in the aggregates that
//! it asks. The runtime asks in order, each with an id derived from the event and the step, so that what is asked again
//! is decided once.

use std::borrow::Cow;

use feira_events::Meta;
use feira_ids::{AggregateId, TenantId};
use serde::{Deserialize, Serialize};

/// One process: how it answers the events of other aggregates.
pub trait Process: Send + Sync + 'static {
    /// Its name, once among all processes: lower-case letters. `order`.
    const NAME: &'static str;
    /// The events it follows, of one service or of several.
    type Event: Send + 'static;

    /// What is to be done about an event; nothing for most of them.
    fn react(meta: &Meta, event: &Self::Event) -> Vec<Do>;
}

/// Something that a process wants done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Do {
    /// Ask an aggregate now.
    Ask(Ask),
    /// Ask it when the time comes, in place of what the timer of this id was to ask.
    At {
        /// Names the timer among those of the process and of the event's tenant: `order/o-1/timeout`.
        timer: String,
        /// When it is due, milliseconds since 1970, as the tenant of `then` reckons business time.
        due: i64,
        /// What is asked then. The answer may come after `due`, never before.
        then: Box<Ask>,
    },
    /// Forget a timer, if it is still there.
    Forget {
        /// Its id.
        timer: String,
    },
}

/// What is asked of an aggregate, by a part of the platform.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ask {
    /// Names what is asked among all that follows from one event to one aggregate: `reserve`. With the event's id,
    /// the aggregate and the operation it makes up the command's id, so it stays what it is.
    pub step: Cow<'static, str>,
    /// The business.
    pub tenant: TenantId,
    /// Of what.
    pub aggregate: AggregateId,
    /// What, as named in the table of operations.
    pub operation: Cow<'static, str>,
    /// The input as JSON, as the aggregate's service reads it.
    pub input: String,
    /// What is asked next when the aggregate refuses. The fields `code` and `message` of its input are filled with the
    /// refusal.
    pub refused: Option<Box<Ask>>,
}

impl Ask {
    /// Asks `operation` of `aggregate` with `input`, one of the types of `feira_commands`.
    ///
    /// # Panics
    /// When the input has no form in JSON, which those types always have.
    pub fn new(
        step: &'static str,
        tenant: &TenantId,
        aggregate: AggregateId,
        operation: &'static str,
        input: &impl Serialize,
    ) -> Self {
        let input = serde_json::to_string(input).expect("an input is plain fields");
        Self { step: step.into(), tenant: tenant.clone(), aggregate, operation: operation.into(), input, refused: None }
    }

    /// Asks `then` when this is refused.
    pub fn or(mut self, then: Self) -> Self {
        self.refused = Some(Box::new(then));
        self
    }

    /// This, now.
    pub fn now(self) -> Do {
        Do::Ask(self)
    }

    /// This, when `due` has come.
    pub fn at(self, timer: impl Into<String>, due: i64) -> Do {
        Do::At { timer: timer.into(), due, then: Box::new(self) }
    }

    /// With the fields `code` and `message` of the input saying why what was asked before was refused.
    pub fn with_refusal(mut self, code: &str, message: &str) -> Self {
        // An input is an object; one that is not has no fields to fill.
        if let Ok(mut fields) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&self.input) {
            fields.insert("code".to_owned(), code.into());
            fields.insert("message".to_owned(), message.into());
            self.input = serde_json::Value::Object(fields).to_string();
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    #[serde(tag = "ask", rename_all = "snake_case")]
    enum Input {
        StockRefused { sku: &'static str, code: &'static str },
    }

    fn refused() -> Ask {
        let tenant = TenantId::new("feira-livre").expect("a well formed id");
        let order = AggregateId::new("order", "o-1").expect("a well formed key");
        Ask::new("refused", &tenant, order, "order.stock_refused", &Input::StockRefused { sku: "CAFE", code: "" })
    }

    #[test]
    fn a_refusal_fills_the_fields_that_are_named_for_it() {
        let asked = refused().with_refusal("OUT_OF_STOCK", "only 2 are left");
        let fields: serde_json::Value = serde_json::from_str(&asked.input).expect("JSON");
        assert_eq!(
            fields,
            serde_json::json!({
                "ask": "stock_refused", "sku": "CAFE", "code": "OUT_OF_STOCK", "message": "only 2 are left"
            })
        );
        assert_eq!(Ask { input: String::new(), ..asked }, Ask { input: String::new(), ..refused() });
    }

    #[test]
    fn what_a_timer_asks_reads_back_as_it_was_written() {
        let asked = refused().or(refused());
        let written = serde_json::to_string(&asked).expect("JSON");
        assert_eq!(serde_json::from_str::<Ask>(&written).expect("what was written"), asked);
    }
}
