//! The rules of shards, each by example, and the protocol between them under faults.

mod between;
mod book;
mod house;
mod limits;
mod model;
mod orders;
mod requests;
mod simulation;
mod within;
