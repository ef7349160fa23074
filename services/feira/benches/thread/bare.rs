//! The reference: async-graphql behind axum and nothing else.
//!
//! It answers a list from memory, and a mutation once 512 bytes of it are on the disk; appends that wait share a sync, what
//! comes again is known, and rows for readers are written behind the answer (`group.rs`). It runs as a process of its own, as the platform does, so that both share the cores with the client
//! alike. What it leaves out is all that makes a platform: tokens, rules, state, and what follows elsewhere.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use async_graphql::{Context, EmptySubscription, InputObject, Object, Schema, SimpleObject};
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse;
use axum::routing::post;
use tempfile::TempDir;

use crate::group::Group;

/// Makes the benchmark's own binary be the server.
pub const ARGUMENT: &str = "--serve-bare";

/// The mutation as it is asked; its variable is an [`AppendInput`].
pub const APPEND: &str =
    "mutation($i: AppendInput!) { append(input: $i) { version position userErrors { code field message } } }";

/// A running server.
pub struct Server {
    /// Where it answers.
    pub address: SocketAddr,
    process: Child,
    _folder: TempDir,
}

impl Server {
    /// Starts it.
    pub fn start() -> Self {
        let binary = std::env::current_exe().expect("this binary has a path");
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder can be made");
        let mut command = Command::new(binary);
        command.arg(ARGUMENT).arg(folder.path().join("appended")).stdout(Stdio::piped());
        let mut process = command.spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("its output is piped")).read_line(&mut line).expect("a line");
        Self { address: line.trim().parse().expect("an address"), process, _folder: folder }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself.
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

/// As much as the platform's own mutations are given.
#[derive(InputObject)]
struct AppendInput {
    to: String,
    what: String,
    command_id: String,
}

#[derive(SimpleObject)]
struct UserError {
    code: String,
    field: Option<String>,
    message: String,
}

#[derive(SimpleObject)]
struct Appended {
    version: u64,
    position: String,
    user_errors: Vec<UserError>,
}

struct Mutation;

#[Object]
impl Mutation {
    async fn append(&self, ctx: &Context<'_>, input: AppendInput) -> Appended {
        let AppendInput { to, what, command_id } = input;
        let place = ctx.data_unchecked::<Group>().append(&to, &what, &command_id).await;
        Appended { version: place, position: format!("bare/0:{place}"), user_errors: vec![] }
    }
}

type Bare = Schema<Query, Mutation, EmptySubscription>;

/// Serves until it is killed; appends to the file at `path`.
pub fn serve(path: Option<PathBuf>) {
    let path = path.expect("the server is told where to append");
    let products = (0..20)
        .map(|number| Product {
            sku: crate::feed::sku(0, number),
            title: format!("Handwoven cotton kurta, size {}, colour {}", number % 7, number % 31),
            price: Money { amount: format!("{}.00", 99 + number), currency: "INR".to_owned() },
        })
        .collect();
    let schema = Schema::build(Query(products), Mutation, EmptySubscription).data(group(&path)).finish();
    let app = axum::Router::new().route("/graphql", post(answer)).with_state(schema);
    tokio::runtime::Runtime::new().expect("a runtime").block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("{}", listener.local_addr().expect("it is bound"));
        axum::serve(listener, app).await.expect("it serves until it is killed");
    });
}

fn group(path: &Path) -> Group {
    Group::start(path).expect("the file can be made")
}

async fn answer(State(schema): State<Bare>, body: Bytes) -> impl IntoResponse {
    let request: async_graphql::Request = serde_json::from_slice(&body).expect("the benchmark sends JSON");
    let response = schema.execute(request).await;
    let body = serde_json::to_vec(&response).expect("an answer is JSON");
    ([(CONTENT_TYPE, "application/graphql-response+json")], body)
}
