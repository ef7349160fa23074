//! `feira import`: sends a feed to a running gateway as a stream, and says what came of each row that did not go in.

mod report;
mod run_id;

use std::path::Path;
use std::process::ExitCode;

use feira_ids::Role;
use futures::{StreamExt, TryStreamExt};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use reqwest::{Body, Client};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

use crate::cli::{ImportProducts, Output};
use crate::failure::{Failure, ROWS_REFUSED};
use crate::import::report::Report;
use crate::import::run_id::RunId;
use crate::{client, token};

/// Sends a feed of products.
pub async fn products(args: ImportProducts, output: Output) -> Result<ExitCode, Failure> {
    let format = format(&args.file)?;
    let token = token::to_ask(&args.at, Role::Admin, args.tenant.as_deref())?;
    let file = open(&args.file).await?;
    let length = file.metadata().await.map_err(|error| unread(&args.file, error))?.len();
    let run = RunId::of(&args.at.url, args.tenant.as_deref().unwrap_or(""), &args.file)?;

    let bar = progress(length, output);
    let sent = bar.clone();
    let body = ReaderStream::with_capacity(file, 64 << 10).inspect_ok(move |chunk| sent.inc(chunk.len() as u64));
    let url = format!("{}/v1/imports/products?run={}&format={format}", args.at.url.trim_end_matches('/'), run.id());
    let asked = Client::new().post(&url).bearer_auth(token).body(Body::wrap_stream(body)).send().await;
    let mut lines = client::lines(&args.at.url, asked).await?;
    let mut report = Report::new(output, bar);
    while let Some(line) = lines.next().await {
        report.take(&line?);
    }
    match report.end() {
        Ok(refused) => {
            // The run is over: the same file sent once more is another one.
            run.forget();
            Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(ROWS_REFUSED) })
        }
        Err(failure) => Err(failure),
    }
}

fn format(file: &Path) -> Result<&'static str, Failure> {
    match file.extension().and_then(|extension| extension.to_str()).map(str::to_ascii_lowercase).as_deref() {
        Some("tsv" | "txt") => Ok("tsv"),
        Some("csv") => Ok("csv"),
        Some("jsonl" | "ndjson") => Ok("jsonl"),
        _ => {
            Err(Failure::new(format!("{}: a feed's name ends in .tsv, .txt, .csv, .jsonl or .ndjson", file.display())))
        }
    }
}

async fn open(path: &Path) -> Result<File, Failure> {
    File::open(path).await.map_err(|error| unread(path, error))
}

fn unread(path: &Path, error: std::io::Error) -> Failure {
    Failure::because(format!("cannot read {}", path.display()), error)
}

/// How much of the file was sent, on standard error where a person looks on.
fn progress(length: u64, output: Output) -> ProgressBar {
    let bar = ProgressBar::new(length);
    if output == Output::Json {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{bar:30} {percent:>3} %  {msg}  {elapsed}")
        .expect("the template names what the library has");
    bar.with_style(style)
}
