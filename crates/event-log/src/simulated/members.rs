//! Who has joined the cluster, and which lanes each is assigned.

use std::collections::{BTreeSet, HashMap};

use feira_ids::{LaneId, ServiceName};

use crate::Assignment;

/// Everyone that has joined, in the order in which they did.
#[derive(Default)]
pub struct Members {
    members: Vec<Member>,
    /// Who has which lane, as a number of a membership.
    holders: HashMap<LaneId, u64>,
    next: u64,
}

struct Member {
    /// The membership's number: a process that joins again is another.
    number: u64,
    process: String,
    service: ServiceName,
    assignment: Assignment,
    /// What it sees while it sleeps.
    frozen: Option<Assignment>,
}

impl Member {
    fn change(&mut self, change: impl FnOnce(&mut BTreeSet<u32>)) {
        change(&mut self.assignment.lanes);
        self.assignment.generation += 1;
    }
}

impl Members {
    /// Enters a process, in place of an earlier one of its name. It gets the lanes that have nobody.
    pub fn join(&mut self, process: &str, service: &ServiceName, lanes: u32) -> u64 {
        let former = self.members.iter().find(|m| m.process == process && m.service == *service).map(|m| m.number);
        let kept = former.map(|former| self.remove(former)).unwrap_or_default();
        let number = self.next;
        self.next += 1;
        self.members.push(Member {
            number,
            process: process.to_owned(),
            service: service.clone(),
            assignment: Assignment { generation: 1, ..Assignment::default() },
            frozen: None,
        });
        kept.iter().for_each(|lane| self.assign(lane, process));
        let free = (0..lanes).map(|index| LaneId::new(service, index));
        self.give(free.filter(|lane| !self.holders.contains_key(lane)).collect());
        number
    }

    /// Takes a membership out; its lanes go to the others.
    pub fn leave(&mut self, number: u64) {
        let lanes = self.remove(number);
        self.give(lanes);
    }

    /// What a membership is assigned, as far as its process has heard; nothing for one that left.
    pub fn seen(&self, number: u64) -> Assignment {
        let member = self.members.iter().find(|member| member.number == number);
        let gone = || Assignment { generation: u64::MAX, ..Assignment::default() };
        member.map_or_else(gone, |member| member.frozen.as_ref().unwrap_or(&member.assignment).clone())
    }

    /// Whether the lane really is this membership's.
    pub fn holds(&self, number: u64, lane: &LaneId) -> bool {
        self.holders.get(lane) == Some(&number)
    }

    /// Whether the lane is anybody's.
    pub fn is_assigned(&self, lane: &LaneId) -> bool {
        self.holders.contains_key(lane)
    }

    /// Gives a lane to a process.
    pub fn assign(&mut self, lane: &LaneId, process: &str) {
        self.revoke(lane);
        let member = self.members.iter_mut().find(|m| m.process == process && m.service == lane.service);
        let member = member.expect("the process has joined");
        member.assignment.lost = false;
        member.change(|lanes| {
            lanes.insert(lane.index);
        });
        self.holders.insert(lane.clone(), member.number);
    }

    /// Takes a lane from whoever has it.
    pub fn revoke(&mut self, lane: &LaneId) {
        if let Some(member) = self.holders.remove(lane).and_then(|number| self.member(number)) {
            member.change(|lanes| {
                lanes.remove(&lane.index);
            });
        }
    }

    /// Ends a process's memberships; its lanes go to the others.
    pub fn lose(&mut self, process: &str) {
        let numbers: Vec<u64> = self.members.iter().filter(|m| m.process == process).map(|m| m.number).collect();
        for number in numbers {
            let lanes = self.release(number);
            if let Some(member) = self.member(number) {
                member.assignment.lost = true;
                member.change(BTreeSet::clear);
            }
            self.give(lanes);
        }
    }

    /// Lets a process go on seeing what it sees now.
    pub fn freeze(&mut self, process: &str) {
        for member in self.members.iter_mut().filter(|member| member.process == process) {
            member.frozen = Some(member.assignment.clone());
        }
    }

    /// Lets a process see what there is.
    pub fn thaw(&mut self, process: &str) {
        self.members.iter_mut().filter(|member| member.process == process).for_each(|member| member.frozen = None);
    }

    fn member(&mut self, number: u64) -> Option<&mut Member> {
        self.members.iter_mut().find(|member| member.number == number)
    }

    fn release(&mut self, number: u64) -> Vec<LaneId> {
        let mut lanes: Vec<LaneId> =
            self.holders.iter().filter(|(_, holder)| **holder == number).map(|(lane, _)| lane.clone()).collect();
        // In the lanes' order, so that the same calls give the same generations.
        lanes.sort();
        lanes.iter().for_each(|lane| {
            self.holders.remove(lane);
        });
        lanes
    }

    fn remove(&mut self, number: u64) -> Vec<LaneId> {
        let lanes = self.release(number);
        self.members.retain(|member| member.number != number);
        lanes
    }

    /// Gives lanes that have nobody to the first that can serve them.
    fn give(&mut self, lanes: Vec<LaneId>) {
        for lane in lanes {
            let can = |member: &&mut Member| member.service == lane.service && !member.assignment.lost;
            let Some(member) = self.members.iter_mut().find(can) else { continue };
            member.change(|lanes| {
                lanes.insert(lane.index);
            });
            self.holders.insert(lane, member.number);
        }
    }
}
