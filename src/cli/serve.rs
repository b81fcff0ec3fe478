//! `augur serve`

use tokio::signal::unix::{SignalKind, signal};

use crate::application::Application;
use crate::settings::Settings;
use crate::telemetry;

/// Serves until SIGTERM or Ctrl-C; a second signal ends the process at once. SIGHUP lets a store whose password was
/// refused log on once more, and has the models read again.
pub(super) fn run(settings: &Settings) -> anyhow::Result<()> {
    telemetry::start(&settings.log)?;
    actix_web::rt::System::new().block_on(async {
        // Before anything says that the server is there: from then on signals come.
        let mut hangup = signal(SignalKind::hangup())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let application = Application::build(settings)?;
        let hung_up = application.hangup();
        actix_web::rt::spawn(async move {
            while hangup.recv().await.is_some() {
                log::info!(
                    "SIGHUP: the models are read again, and a store that has stopped logging on may try once more"
                );
                hung_up();
            }
        });
        let mut next = async move || {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        let stop = async move {
            next().await;
            actix_web::rt::spawn(async move {
                next().await;
                log::warn!("stopped at once by a second signal");
                telemetry::flush();
                std::process::exit(1);
            });
        };
        Ok(application.run_until_stopped(stop).await?)
    })
}
