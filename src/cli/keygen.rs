//! `augur keygen`

use clap::Args;
use secrecy::ExposeSecret;

use crate::auth::{self, Scope};

/// Make an API key: prints it once, and the line that `auth.keys_file` needs.
#[derive(Debug, Args)]
pub(super) struct KeygenArgs {
    /// Who will hold it; the audit log tells this name.
    #[arg(long)]
    name: String,
    /// What it is good for: results:read, results:write or predict; may be repeated.
    #[arg(long, required = true)]
    scope: Vec<Scope>,
}

pub(super) fn run(args: KeygenArgs) -> anyhow::Result<()> {
    let new = auth::generate(&args.name, &args.scope)?;
    super::print(&format!("key (not shown again): {}\nline: {}\n", new.key.expose_secret(), new.line))
}
