//! The mutants whose protection is the log's: they are made by weakening the simulated one.

use feira_event_log::simulated::{Cluster, Weakness};
use feira_mutants::{Mutant, is};

/// Takes from the log what the chosen mutant lacks.
pub fn weaken(cluster: &Cluster) {
    let weaknesses = [
        (Mutant::NoFence, Weakness::TakesWithoutFence),
        (Mutant::TakeWithoutProof, Weakness::TakesWithoutProof),
        (Mutant::RecoveryToLastStable, Weakness::RecoversToLastStable),
    ];
    for (_, weakness) in weaknesses.into_iter().filter(|(mutant, _)| is(*mutant)) {
        cluster.weaken(weakness);
    }
}
