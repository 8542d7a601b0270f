//! From a snapshot to committed placements: what is woken is decided as one batch, the batch is written down, each
//! decision is committed by compare-and-swap, and only then is it recorded as committed and handed on.
//!
//! `batch` is pure and says what to commit; `epoch` and `commit` write to the hub; `record` (the room beside) keeps the
//! inputs. A lost compare-and-swap is no error: the object is read again and decided again.

pub(crate) mod batch;
pub(crate) mod commit;
pub(crate) mod counter;
pub(crate) mod epoch;
