//! `feira run`: the whole platform in one process, for this machine only.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use feira_gateway::{DevKey, GatewayConfig, GatewayParts, Introspection, PlatformSecret, Verifier};
use feira_ids::Role;
use feira_runtime::LocalCommands;
use tokio_util::sync::CancellationToken;

use crate::cli::Run;
use crate::failure::Failure;
use crate::home::Home;
use crate::journal::Journal;
use crate::{home, listen, services, stop, token};

/// The businesses that have a demo feed.
const DEMO: [&str; 2] = ["feira-livre", "mumbai-bazaar"];
/// How long the tokens are good that are printed at start.
const TOKENS_VALID: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// How often the state of the services is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Runs until asked to stop.
pub async fn run(args: Run) -> Result<ExitCode, Failure> {
    let stop = stop::on_signal()?;
    let home = Home::embedded(&args.data)?;
    let keyring = home::open_keys(&args.data)?;
    let key = DevKey::load_or_create(&args.data).map_err(|error| Failure::because("cannot sign tokens", error))?;
    let trusted = key.verifier_config(args.listen).map_err(|error| Failure::because("cannot listen there", error))?;
    let verifier = Verifier::new(&trusted).map_err(|error| Failure::because("cannot check tokens", error))?;
    let secret = PlatformSecret::load_or_create(&args.data)
        .map_err(|error| Failure::because("cannot name customers to businesses", error))?;
    let listener = listen::bind(args.listen).await?;
    let address = listener.local_addr().map_err(|error| Failure::because("cannot listen", error))?;

    let catalog = services::catalog(&home, "local").await?;
    let cart = match services::cart(&home, feira_cart_server::CATCH_UP, "local").await {
        Ok(cart) => cart,
        Err(failure) => {
            catalog.shutdown().await;
            return Err(failure);
        }
    };
    let (catalog_ready, cart_ready) = (catalog.clone(), cart.clone());
    let ready = Arc::new(move || catalog_ready.waits_for().and_then(|()| cart_ready.waits_for()));
    let router = feira_gateway::router(GatewayParts {
        commands: Arc::new(LocalCommands::new([catalog.intake(), cart.intake()])),
        store: home.store.clone(),
        keyring,
        verifier,
        secret,
        log: Some(Arc::new(Journal(home.log.clone()))),
        ready: ready.clone(),
        config: GatewayConfig { introspection: Introspection::Open, ..GatewayConfig::default() },
    });
    let served = listen::answer(listener, router, stop.clone());
    if wait_ready(&*ready, &stop).await {
        tokens(&key, &args.data)?;
        println!("GraphQL http://{address}/graphql");
    }
    stop.cancelled().await;
    let finished = served.await;
    tokio::join!(catalog.shutdown(), cart.shutdown());
    finished.map_err(|error| Failure::because("answering failed in the program", error))?;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Waits until everything is served; not, when asked to stop before.
async fn wait_ready(ready: &dyn Fn() -> Result<(), String>, stop: &CancellationToken) -> bool {
    let mut look = tokio::time::interval(LOOK);
    while ready().is_err() {
        tokio::select! {
            _ = look.tick() => {}
            () = stop.cancelled() => return false,
        }
    }
    true
}

/// Prints tokens to try things with.
fn tokens(key: &DevKey, folder: &Path) -> Result<(), Failure> {
    let sign = |subject, role, tenant| token::sign(key, subject, role, tenant, "BR", TOKENS_VALID);
    println!("Tokens for development on this machine (more: feira token --data {} --help)", folder.display());
    for tenant in DEMO {
        println!("  admin of {tenant:<14} {}", sign("admin", Role::Admin, Some(tenant))?);
        println!("  agent of {tenant:<14} {}", sign("agent", Role::Agent, Some(tenant))?);
    }
    println!("  consumer                {}", sign("ana", Role::Consumer, None)?);
    println!("  operator                {}", sign("operator", Role::Operator, None)?);
    Ok(())
}
