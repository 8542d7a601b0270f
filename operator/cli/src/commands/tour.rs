//! What `demo` shows of a fleet: the plan, one refusal explained, adoption and energy; then what to try.

use jiff::Timestamp;
use jiuzhou_engine::decide::{self, Status};
use jiuzhou_intake::Fleet;
use jiuzhou_report::document::Meta;
use jiuzhou_report::documents::explain::{Detail, explain};

use crate::args::DemoArgs;
use crate::commands::{plan, report};
use crate::context::Context;
use crate::exit::Exit;
use crate::output;

/// Shows everything there is to show. What a story refuses on purpose is no failure of the demo.
pub(crate) fn show(fleet: &Fleet, as_of: Timestamp, args: &DemoArgs, context: &Context) -> anyhow::Result<Exit> {
    let saved = plan::decide_all(fleet, as_of)?;
    output::write(&plan::document(&saved, false, fleet.findings.clone(), &fleet.places)?, &args.output, context)?;
    if args.output.outputs.iter().any(|one| one.file.is_some()) {
        return Ok(Exit::Ok);
    }
    let refused = saved.plan.decisions.iter().find(|decision| decision.status == Status::Refused);
    if let Some(decision) = refused {
        let snapshot = decide::Snapshot::new(saved.input.fleet.clone())?;
        if let Some(why) = decide::explain(&snapshot, &saved.input.changes, &decision.key, as_of)? {
            let meta = Meta::new(Some(as_of), Some(snapshot.digest()?));
            let document = explain(meta, &why, Detail { passes: false }, Vec::new());
            output::print("\n")?;
            output::write(&document, &args.output, context)?;
        }
    }
    for document in report::both(fleet, as_of)? {
        output::print("\n")?;
        output::write(&document, &args.output, context)?;
    }
    let next = context.pick(
        "\nNext: `jiuzhou demo --list`, `jiuzhou demo 10 --write my-province`, `jiuzhou demo -o html=province.html`",
        "\n接下来：`jiuzhou demo --list`、`jiuzhou demo 10 --write my-province`、`jiuzhou demo --lang zh -o html=province.html`",
    );
    context.hint(next);
    Ok(Exit::Ok)
}
