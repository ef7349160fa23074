//! `feira serve`: some of the services in this process, on Kafka and CQL.

use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use feira_gateway::{DevKey, GatewayParts, PlatformSecret, Verifier};
use feira_ids::ServiceName;
use feira_projection_store_cql::CqlStore;
use feira_runtime::{RemoteCommands, Secret, rpc};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::cli::{Serve, ServiceChoice};
use crate::failure::Failure;
use crate::health;
use crate::home::Home;
use crate::journal::Journal;
use crate::services::Served;
use crate::settings::{Auth, Gateway, Settings};
use crate::{home, listen, secret_file, services, stop};

/// Serves until asked to stop.
pub async fn serve(args: Serve) -> Result<ExitCode, Failure> {
    let settings = Settings::read(&args.config)?;
    let folder = args.folder.clone().or_else(|| settings.folder.clone());
    let folder =
        folder.ok_or_else(|| Failure::new("name the folder of this process: `folder` in the settings, or --folder"))?;
    let secret = rpc_secret(&settings)?;
    let stop = stop::on_signal()?;
    let (home, cql) = tokio::select! {
        home = Home::deployed(&settings, &folder) => home?,
        () = stop.cancelled() => return Ok(ExitCode::SUCCESS),
    };
    let mut process = Process { home, cql, settings, secret, stop, served: Vec::new(), answering: Vec::new() };
    let served = process.serve(&args.services).await;
    if served.is_ok() {
        process.stop.cancelled().await;
    }
    process.end().await;
    served.map(|()| ExitCode::SUCCESS)
}

/// What this process has going.
struct Process {
    home: Home,
    cql: Arc<CqlStore>,
    settings: Settings,
    secret: Secret,
    stop: CancellationToken,
    served: Vec<Arc<Served>>,
    answering: Vec<JoinHandle<()>>,
}

impl Process {
    async fn serve(&mut self, chosen: &[ServiceChoice]) -> Result<(), Failure> {
        // The gateway comes last, so that what it asks for is there.
        let order = [ServiceChoice::Catalog, ServiceChoice::Cart, ServiceChoice::Gateway];
        for service in order.into_iter().filter(|service| chosen.contains(service)) {
            match service {
                ServiceChoice::Catalog => self.catalog().await?,
                ServiceChoice::Cart => self.cart().await?,
                ServiceChoice::Gateway => self.gateway().await?,
            }
        }
        Ok(())
    }

    async fn catalog(&mut self) -> Result<(), Failure> {
        let config = self.settings.catalog.clone().ok_or_else(|| missing("catalog"))?;
        let listener = listen::bind(config.listen).await?;
        let address = advertised(config.listen, config.advertise);
        let served = services::catalog(&self.home, &address).await?;
        self.answer(listener, served);
        Ok(())
    }

    async fn cart(&mut self) -> Result<(), Failure> {
        let config = self.settings.cart.clone().ok_or_else(|| missing("cart"))?;
        let listener = listen::bind(config.listen).await?;
        let address = advertised(config.listen, config.advertise.clone());
        let served = services::cart(&self.home, config.catch_up(), &address).await?;
        self.answer(listener, served);
        Ok(())
    }

    /// Takes commands for a service's lanes, and says how it is.
    fn answer(&mut self, listener: TcpListener, served: Arc<Served>) {
        let asked = served.clone();
        let routes = rpc::server([served.intake()], self.secret.clone());
        let routes = routes.merge(health::routes(Arc::new(move || asked.waits_for())));
        self.answering.push(listen::answer(listener, routes, self.stop.clone()));
        self.served.push(served);
    }

    async fn gateway(&mut self) -> Result<(), Failure> {
        let Gateway { listen, limits } = self.settings.gateway.take().ok_or_else(|| missing("gateway"))?;
        let (verifier, secret) = callers(&self.settings.auth, listen)?;
        let listener = listen::bind(listen).await?;
        let address = listener.local_addr().map_err(|error| Failure::because("cannot listen", error))?;
        let (log, shared) = (self.home.log.clone(), self.secret.clone());
        let names = services::NAMES.map(ServiceName::new);
        let keyring = home::connect_keys(&self.cql).await?;
        let commands = tokio::task::spawn_blocking(move || RemoteCommands::new(log, &names, shared))
            .await
            .expect("asking for lanes does not panic")
            .map_err(|error| Failure::because("cannot find the lanes", error))?;
        let router = feira_gateway::router(GatewayParts {
            commands: Arc::new(commands),
            store: self.home.store.clone(),
            keyring,
            verifier,
            secret,
            log: Some(Arc::new(Journal(self.home.log.clone()))),
            ready: Arc::new(|| Ok(())),
            config: limits,
        });
        self.answering.push(listen::answer(listener, router, self.stop.clone()));
        println!("GraphQL http://{address}/graphql");
        Ok(())
    }

    /// Lets what is under way finish and hands the lanes over.
    async fn end(self) {
        self.stop.cancel();
        for answering in self.answering {
            if answering.await.is_err() {
                tracing::error!("answering failed in the program");
            }
        }
        futures::future::join_all(self.served.iter().map(|served| served.shutdown())).await;
        tracing::info!("stopped");
    }
}

fn missing(section: &str) -> Failure {
    Failure::new(format!("the settings have no section [{section}]; it says where the service listens"))
}

fn advertised(listen: SocketAddr, advertise: Option<String>) -> String {
    advertise.unwrap_or_else(|| listen.to_string())
}

fn rpc_secret(settings: &Settings) -> Result<Secret, Failure> {
    match (&settings.rpc.secret_file, &settings.auth.development_folder) {
        (Some(file), _) => secret_file::read(file),
        (None, Some(folder)) => secret_file::load_or_create(folder),
        (None, None) => Err(Failure::new(
            "processes have no secret in common: set secret_file in [rpc], or development_folder in [auth]",
        )),
    }
}

/// What checks tokens, and what names customers to businesses.
fn callers(auth: &Auth, listen: SocketAddr) -> Result<(Verifier, PlatformSecret), Failure> {
    let unusable = |what: &str| format!("{what} in [auth] cannot be used");
    let trusted = match (&auth.tokens, &auth.development_folder) {
        (Some(tokens), _) => tokens.clone(),
        (None, Some(folder)) => DevKey::load_or_create(folder)
            .and_then(|key| key.verifier_config(listen))
            .map_err(|error| Failure::because(unusable("development_folder"), error))?,
        (None, None) => return Err(Failure::new("nobody could sign in: set tokens or development_folder in [auth]")),
    };
    let verifier = Verifier::new(&trusted).map_err(|error| Failure::because(unusable("tokens"), error))?;
    let secret = match (&auth.platform_secret_file, &auth.development_folder) {
        (Some(file), _) => {
            let text = std::fs::read_to_string(file)
                .map_err(|error| Failure::because(unusable("platform_secret_file"), error))?;
            PlatformSecret::from_hex(text.trim())
        }
        (None, Some(folder)) => PlatformSecret::load_or_create(folder),
        (None, None) => return Err(Failure::new("set platform_secret_file or development_folder in [auth]")),
    };
    Ok((verifier, secret.map_err(|error| Failure::because(unusable("the platform's secret"), error))?))
}
