//! The models of a running server: loaded at the start, and again when the operator has put another one in their place.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

use anyhow::Context as _;

use crate::model::{ImageModel, Live, Source, StoredModel, UrlModel, VersionsError};
use crate::settings::Settings;
use crate::stamp::Stamp;

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The configured model, or the one inside the binary.
pub(crate) fn load_url_model(settings: &Settings) -> anyhow::Result<UrlModel> {
    load(&Source::of(&settings.models.url.path), URL_PATH)
}

/// The configured classifier, or the one inside the binary.
pub(crate) fn load_image_model(settings: &Settings) -> anyhow::Result<ImageModel> {
    let model: ImageModel = load(&Source::of(&settings.models.image.path), IMAGE_PATH)?;
    Ok(model.with_max_pixels(settings.limits.max_image_pixels))
}

const URL_PATH: &str = "models.url.path";
const IMAGE_PATH: &str = "models.image.path";

fn load<P: StoredModel>(source: &Source, setting: &'static str) -> anyhow::Result<P> {
    let context = match source {
        Source::Embedded => "the model inside this binary cannot be used",
        Source::File(_) | Source::Versions(_) => setting,
    };
    source.load().context(context)
}

/// The models that answer, and a thread that takes over what is put in their place. The thread ends with this.
pub(super) struct Models {
    pub(super) url: Arc<Live<UrlModel>>,
    /// Where pictures are served.
    pub(super) image: Option<Arc<Live<ImageModel>>>,
    look_now: Sender<()>,
}

impl Models {
    /// Loads the models and begins to watch where they came from. Blocks.
    ///
    /// # Errors
    /// One sentence that says what the operator has to change.
    pub(super) fn load(settings: &Settings) -> anyhow::Result<Self> {
        let url = Watched::start(&settings.models.url.path, URL_PATH, |model: UrlModel| model)?;
        let max_pixels = settings.limits.max_image_pixels;
        let image = settings.models.image.enabled.then(|| {
            let finish = move |model: ImageModel| model.with_max_pixels(max_pixels);
            Watched::start(&settings.models.image.path, IMAGE_PATH, finish)
        });
        let image = image.transpose()?;
        let (look_now, asked) = channel();
        let models =
            Self { url: Arc::clone(&url.live), image: image.as_ref().map(|image| Arc::clone(&image.live)), look_now };
        std::thread::Builder::new()
            .name("model-files".to_owned())
            .spawn(move || watch(&asked, url, image))
            .context("cannot start a thread")?;
        Ok(models)
    }

    /// Has the models read again, whether or not their files look changed; the call does not wait for it.
    pub(super) fn reload(&self) -> impl Fn() + use<> {
        let look_now = self.look_now.clone();
        move || {
            // Nobody to ask: the server is ending.
            let _ = look_now.send(());
        }
    }
}

fn watch<F, G>(asked: &Receiver<()>, mut url: Watched<UrlModel, F>, mut image: Option<Watched<ImageModel, G>>)
where
    F: Fn(UrlModel) -> UrlModel,
    G: Fn(ImageModel) -> ImageModel,
{
    loop {
        let is_asked = match asked.recv_timeout(LOOK_EVERY) {
            Ok(()) => true,
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        url.look(is_asked);
        if let Some(image) = &mut image {
            image.look(is_asked);
        }
    }
}

/// A model that answers, and where the next one will come from.
struct Watched<P, F> {
    setting: &'static str,
    source: Source,
    live: Arc<Live<P>>,
    /// What has to be done to a model that was loaded.
    finish: F,
    /// The files as they were before they were last read, well or not.
    seen: [Option<Stamp>; 2],
    /// What was said last of files that could not be read for a reason that may pass.
    to_retry: Option<String>,
}

impl<P: StoredModel, F: Fn(P) -> P> Watched<P, F> {
    fn start(path: &Path, setting: &'static str, finish: F) -> anyhow::Result<Self> {
        let source = Source::of(path);
        // Taken first: what changes while it is read is read again.
        let seen = source.stamps();
        let model = prepared(&source, setting, &finish)?;
        Ok(Self { setting, source, live: Arc::new(Live::new(model)), finish, seen, to_retry: None })
    }

    /// Takes another model over where there is one. One that cannot be used is told of once, and tried again when its file
    /// changes once more: so a file that is still being copied is refused until it is whole. One that cannot be read, as where
    /// too many files are open, is tried again each time.
    fn look(&mut self, is_asked: bool) {
        // What is inside the binary stays as it is.
        if matches!(self.source, Source::Embedded) {
            return;
        }
        let stamps = self.source.stamps();
        let is_new = is_asked || stamps != self.seen;
        if !is_new && self.to_retry.is_none() {
            return;
        }
        self.seen = stamps;
        let told = self.to_retry.take().filter(|_| !is_new);
        let before = self.live.get().version();
        match prepared(&self.source, self.setting, &self.finish) {
            Ok(model) => {
                let version = model.version();
                self.live.replace(model);
                if version == before {
                    log::info!(target: TARGET, "{} was read again: {version} goes on answering", self.setting);
                } else {
                    log::info!(target: TARGET, "{}: {version} answers from now on, {before} no longer", self.setting);
                }
            }
            Err(error) => {
                let text = format!("{error:#}");
                if told.as_ref() != Some(&text) {
                    log::error!(target: TARGET, "{text}; {before} goes on answering");
                }
                let may_pass = error.downcast_ref::<VersionsError>().is_some_and(VersionsError::may_pass);
                self.to_retry = may_pass.then_some(text);
            }
        }
    }
}

const TARGET: &str = "augur::model";

/// A model that has been loaded, checked, and made to work once: its first request shall not be the first to touch it.
/// What panics on the way is no model.
fn prepared<P: StoredModel>(source: &Source, setting: &'static str, finish: impl Fn(P) -> P) -> anyhow::Result<P> {
    let prepare = || -> anyhow::Result<P> {
        let model = finish(load(source, setting)?);
        model.warm_up().context(setting)?;
        Ok(model)
    };
    catch_unwind(AssertUnwindSafe(prepare))
        .unwrap_or_else(|_| Err(anyhow::anyhow!("{setting}: the model panics on the probe set")))
}
