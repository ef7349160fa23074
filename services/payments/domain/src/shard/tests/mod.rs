//! The rules of shards, each by example, and the protocol between them under faults.

mod between;
mod house;
mod limits;
mod orders;
mod requests;
mod simulation;
mod within;
