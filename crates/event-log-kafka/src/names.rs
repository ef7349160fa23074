//! How things are named on the cluster: topics, groups, transactional ids. Other languages rely on the topics' names.

use feira_ids::{LaneId, ServiceName};

/// The names under one prefix. Two installations that share a cluster differ in their prefix, or they fence each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    prefix: String,
}

impl Names {
    /// The names under `prefix`; a prefix ends with the mark that parts it from the rest: `staging.`
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.to_owned() }
    }

    /// The topic of a service's events; its partitions are the lanes.
    pub fn events(&self, service: &ServiceName) -> String {
        format!("{}{service}.events.v1", self.prefix)
    }

    /// The topic of announced owners.
    pub fn lanes(&self) -> String {
        format!("{}lanes.v1", self.prefix)
    }

    /// The group whose members serve a service's lanes.
    pub(crate) fn members(&self, service: &ServiceName) -> String {
        format!("{}{service}.lanes", self.prefix)
    }

    /// The group named by clients that read without being members of one. It never has a member nor an offset.
    pub(crate) fn readers(&self) -> String {
        format!("{}readers", self.prefix)
    }

    /// The id under which a lane's owner appends: the same for every owner, so that the next fences the one before.
    pub(crate) fn transactional_id(&self, lane: &LaneId) -> String {
        format!("{}{}.lane.{}", self.prefix, lane.service, lane.index)
    }

    /// Whether a prefix can head the name of a topic.
    pub(crate) fn fits(prefix: &str) -> bool {
        prefix.len() <= 100 && prefix.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_as_published() {
        let (names, cart) = (Names::new("test."), ServiceName::new("cart"));
        assert_eq!(names.events(&cart), "test.cart.events.v1");
        assert_eq!(names.lanes(), "test.lanes.v1");
        assert_eq!(names.transactional_id(&LaneId::new(&cart, 3)), "test.cart.lane.3");
    }

    #[test]
    fn a_prefix_that_no_topic_can_have_is_refused() {
        assert!(Names::fits("") && Names::fits("eu-1.prod_"));
        assert!(!Names::fits("a b") && !Names::fits("é.") && !Names::fits(&"x".repeat(101)));
    }
}
