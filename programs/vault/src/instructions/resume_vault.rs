//! resume_vault: the owner lets trades go on.

use super::pause_vault::set_paused;
use crate::{accounts::Context, arguments::Reader, error::Checked};

#[inline(never)]
pub fn resume_vault(context: &Context, _: &mut Reader) -> Checked {
    set_paused(context, false);
    Ok(())
}
