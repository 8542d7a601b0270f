//! The cases: which fault, at which moment of which story. Their number follows from what a story asks of the hub.

use std::fmt;

use jiuzhou_world::{Entry, Fault, WatchFault};

use super::stories::Story;

/// What is done to one write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnWrite {
    /// The operator dies before the write arrives.
    CrashBefore,
    /// It dies when the write is done and before it hears so.
    CrashAfter,
    /// The write is done and nobody hears so; it lives on.
    LoseAnswer,
    /// The write is refused once with this status; 4290 stands for 429 with an absurd `Retry-After`.
    Refuse(u16),
}

/// What is done to the first list of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OnList {
    /// It is refused once.
    Refuse(u16),
    /// It answers 200 with nothing.
    Empty,
    /// It leaves out every second object.
    Half,
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// To the write with this number, from 0.
    Write(usize, OnWrite),
    /// To the first list of this resource after the operator starts anew.
    List(String, OnList),
    /// To the watch of this resource, before the story is played.
    Watch(String, WatchFault),
}

/// One case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) story: Story,
    pub(super) what: What,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} / ", self.story.name())?;
        match &self.what {
            What::Write(number, fault) => write!(f, "write {number} / {fault:?}"),
            What::List(resource, fault) => write!(f, "list of {resource} / {fault:?}"),
            What::Watch(resource, fault) => write!(f, "watch of {resource} / {fault:?}"),
        }
    }
}

/// Every case of a story, from what it asked of the hub without a fault.
pub(super) fn of(story: Story, log: &[Entry]) -> Vec<Case> {
    let writes = log.iter().filter(|entry| is_write(&entry.method)).count();
    let mut resources: Vec<String> = jiuzhou_api::kinds().iter().map(|kind| kind.plural.clone()).collect();
    resources.sort();
    let mut all = Vec::new();
    let mut push = |what| all.push(Case { story, what });
    for number in 0..writes {
        for fault in [OnWrite::CrashBefore, OnWrite::CrashAfter, OnWrite::LoseAnswer] {
            push(What::Write(number, fault));
        }
        for code in [401, 403, 409, 422, 429, 4290, 500, 503] {
            push(What::Write(number, OnWrite::Refuse(code)));
        }
    }
    for resource in &resources {
        for fault in [OnList::Empty, OnList::Half].into_iter().chain([410, 500, 403, 404].map(OnList::Refuse)) {
            push(What::List(resource.clone(), fault));
        }
        for fault in [WatchFault::Cut, WatchFault::Expire, WatchFault::Twice, WatchFault::Stall] {
            push(What::Watch(resource.clone(), fault));
        }
    }
    all
}

/// Whether a request changes something.
pub(super) fn is_write(method: &str) -> bool {
    !["GET", "HEAD"].contains(&method)
}

impl OnWrite {
    /// What happens to the write itself.
    pub(super) fn fault(self) -> Fault {
        match self {
            Self::CrashBefore => Fault::Break,
            Self::CrashAfter | Self::LoseAnswer => Fault::LoseAnswer,
            Self::Refuse(429) => Fault::too_many_requests(1),
            Self::Refuse(4290) => Fault::too_many_requests(99_999),
            Self::Refuse(code) => Fault::code(code),
        }
    }

    /// Whether the operator dies.
    pub(super) fn is_crash(self) -> bool {
        matches!(self, Self::CrashBefore | Self::CrashAfter)
    }
}

impl OnList {
    /// What happens to the list.
    pub(super) fn fault(self) -> Fault {
        match self {
            Self::Refuse(code) => Fault::code(code),
            Self::Empty => Fault::empty_list(),
            Self::Half => {
                let counter = std::sync::atomic::AtomicUsize::new(0);
                Fault::filtered_list(move |_| {
                    counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed).is_multiple_of(2)
                })
            }
        }
    }

    /// Whether the list says something that is not true.
    pub(super) fn is_lie(self) -> bool {
        matches!(self, Self::Empty | Self::Half)
    }
}
