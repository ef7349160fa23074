//! The reference for reads: async-graphql behind axum and nothing else, answering from memory.
//!
//! It runs as a process of its own, as the platform does, so that both share the cores with the client alike.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};

use async_graphql::{EmptyMutation, EmptySubscription, Object, Schema, SimpleObject};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;

/// Makes the benchmark's own binary be the server.
pub const ARGUMENT: &str = "--serve-bare-list";

/// The same list as of the platform.
pub const LIST: &str = super::LIST;

/// A running server.
pub struct Server {
    /// Where it answers.
    pub address: SocketAddr,
    process: Child,
}

impl Server {
    /// Starts it.
    pub fn start() -> Self {
        let binary = std::env::current_exe().expect("this binary has a path");
        let mut process = Command::new(binary).arg(ARGUMENT).stdout(Stdio::piped()).spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output is piped")).read_line(&mut line).expect("a line");
        Self { address: line.trim().parse().expect("an address"), process }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[derive(Clone, SimpleObject)]
struct Money {
    amount: String,
    currency: String,
}

#[derive(Clone, SimpleObject)]
struct Product {
    sku: String,
    title: String,
    price: Money,
}

#[derive(SimpleObject)]
struct Edge {
    node: Product,
}

#[derive(SimpleObject)]
struct Products {
    edges: Vec<Edge>,
}

struct Query(Vec<Product>);

#[Object]
impl Query {
    async fn products(&self, first: usize) -> Products {
        Products { edges: self.0.iter().take(first).map(|product| Edge { node: product.clone() }).collect() }
    }
}

type List = Schema<Query, EmptyMutation, EmptySubscription>;

/// Serves until it is killed.
pub fn serve() {
    let products = (0..20)
        .map(|number| Product {
            sku: super::platform::sku(number),
            title: format!("Handwoven cotton kurta, size {}, colour {}", number % 7, number % 31),
            price: Money { amount: format!("{}.00", 99 + number), currency: "INR".to_owned() },
        })
        .collect();
    let schema = Schema::new(Query(products), EmptyMutation, EmptySubscription);
    let app = axum::Router::new().route("/graphql", post(answer)).with_state(schema);
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("{}", listener.local_addr().expect("it is bound"));
        axum::serve(listener, app).await.expect("it serves until it is killed");
    });
}

async fn answer(State(schema): State<List>, body: Bytes) -> impl IntoResponse {
    let request: async_graphql::Request = serde_json::from_slice(&body).expect("the benchmark sends JSON");
    let response = schema.execute(request).await;
    let body = serde_json::to_vec(&response).expect("an answer is JSON");
    ([(CONTENT_TYPE, "application/graphql-response+json")], body)
}
