//! One writer for many callers: whoever waits while an fsync runs shares the next one.
//!
//! A thread owns the writing, so that a caller may be an async task: [`Recorder::submit`] never blocks on the disk and
//! answers by a call-back. The recorder keeps the size it has written itself and expects it of the log, so a second
//! writer is found out at the next batch. It does not know the lease: each append carries the term its caller asked for
//! at that moment.

use std::{
    fmt,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread::{self, JoinHandle},
};

use super::{AuditError, Entry, Expected, Head, Log, Receipt, Record};

/// Most appends that wait; a caller that waits for its answers stays far below.
const WAITING_MAX: usize = 65_536;
/// Most entries of one batch, which bounds what an unfinished write can hold.
const BATCH_MAX: usize = 4_096;

type Answer = Result<Receipt, AuditError>;

struct Waiting {
    term: u64,
    entry: Entry,
    done: Box<dyn FnOnce(Answer) + Send>,
}

#[derive(Default)]
struct Queue {
    waiting: Vec<Waiting>,
    closed: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    log: Mutex<Box<dyn Log>>,
    appended: AtomicU64,
    repeated: AtomicU64,
    failed: AtomicU64,
    batches: AtomicU64,
}

/// What a recorder has done since it started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Entries that became records.
    pub appended: u64,
    /// Entries that were there already.
    pub repeated: u64,
    /// Entries that were refused or could not be written.
    pub failed: u64,
    /// Batches, each at most one fsync.
    pub batches: u64,
    /// Appends that wait now.
    pub waiting: u64,
}

/// Shares a log among callers. Dropping it writes what waits and ends the thread.
pub struct Recorder {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Recorder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recorder").field("stats", &self.stats()).finish_non_exhaustive()
    }
}

/// A panic elsewhere leaves these locks usable: the queue is a list, and a log checks its own state at each append.
fn hold<T: ?Sized>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Recorder {
    /// Starts the writing thread over a log.
    ///
    /// # Errors
    /// [`AuditError::Io`] when the system gives no thread.
    pub fn start(log: impl Log + 'static) -> Result<Self, AuditError> {
        let size = log.head().size;
        let shared = Arc::new(Shared {
            queue: Mutex::default(),
            wake: Condvar::new(),
            log: Mutex::new(Box::new(log)),
            appended: AtomicU64::new(0),
            repeated: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            batches: AtomicU64::new(0),
        });
        let writer = Arc::clone(&shared);
        let thread = thread::Builder::new().name("audit".into());
        let thread = thread.spawn(move || writer.run(size)).map_err(AuditError::io("start", "a thread"))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Hands over an entry. `done` is called with the answer from the writing thread, after the entry is durable; it
    /// should only pass the answer on.
    pub fn submit(&self, term: u64, entry: Entry, done: impl FnOnce(Answer) + Send + 'static) {
        let mut queue = hold(&self.shared.queue);
        let refusal = match queue.waiting.len() {
            _ if queue.closed => AuditError::Closed,
            waiting if waiting >= WAITING_MAX => AuditError::Overloaded(waiting),
            _ => {
                queue.waiting.push(Waiting { term, entry, done: Box::new(done) });
                self.shared.wake.notify_one();
                return;
            }
        };
        drop(queue);
        done(Err(refusal));
    }

    /// Appends an entry and waits until it is durable. Blocks: not for async tasks.
    ///
    /// # Errors
    /// As [`Log::append`], and [`AuditError::Overloaded`] or [`AuditError::Closed`].
    pub fn append(&self, term: u64, entry: Entry) -> Result<Receipt, AuditError> {
        let (send, receive) = mpsc::channel();
        // A caller that is gone needs no answer.
        self.submit(term, entry, move |answer| drop(send.send(answer)));
        receive.recv().unwrap_or(Err(AuditError::Closed))
    }

    /// Where the log stands.
    #[must_use]
    pub fn head(&self) -> Head {
        hold(&self.shared.log).head()
    }

    /// As [`Log::read`].
    ///
    /// # Errors
    /// As [`Log::read`].
    pub fn read(&self, from: u64, most: usize) -> Result<Vec<Record>, AuditError> {
        hold(&self.shared.log).read(from, most)
    }

    /// As [`Log::find`].
    ///
    /// # Errors
    /// As [`Log::find`].
    pub fn find(&self, entry: &Entry, term: u64) -> Result<Option<Record>, AuditError> {
        hold(&self.shared.log).find(entry, term)
    }

    /// What it has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let shared = &self.shared;
        Stats {
            appended: of(&shared.appended),
            repeated: of(&shared.repeated),
            failed: of(&shared.failed),
            batches: of(&shared.batches),
            waiting: hold(&shared.queue).waiting.len() as u64,
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        hold(&self.shared.queue).closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // A call-back that panicked ended the thread; the panic has been told already.
            drop(thread.join());
        }
    }
}

/// However the thread ends, later appends are refused and waiting ones let go.
struct Closing<'a>(&'a Shared);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        let mut queue = hold(&self.0.queue);
        queue.closed = true;
        queue.waiting.clear();
    }
}

impl Shared {
    /// The writing thread: takes all that wait, up to a batch, until closed and empty.
    fn run(&self, mut size: u64) {
        let closing = Closing(self);
        loop {
            let mut queue = hold(&closing.0.queue);
            while queue.waiting.is_empty() && !queue.closed {
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
            if queue.waiting.is_empty() {
                return;
            }
            // One append has one term; terms change rarely, so the first run is nearly always all of them.
            let term = queue.waiting[0].term;
            let run = queue.waiting.iter().take(BATCH_MAX).take_while(|waiting| waiting.term == term).count();
            let batch: Vec<_> = queue.waiting.drain(..run).collect();
            drop(queue);
            self.write(term, batch, &mut size);
        }
    }

    fn write(&self, term: u64, batch: Vec<Waiting>, size: &mut u64) {
        let (entries, done): (Vec<_>, Vec<_>) = batch.into_iter().map(|waiting| (waiting.entry, waiting.done)).unzip();
        let answers = hold(&self.log).append(Expected { size: *size, term }, &entries);
        self.batches.fetch_add(1, Ordering::Relaxed);
        let answers = answers.unwrap_or_else(|error| vec![Err(error); entries.len()]);
        for answer in &answers {
            let (count, grown) = match answer {
                Ok(receipt) if receipt.fresh => (&self.appended, 1),
                Ok(_) => (&self.repeated, 0),
                Err(_) => (&self.failed, 0),
            };
            count.fetch_add(1, Ordering::Relaxed);
            *size += grown;
        }
        for (done, answer) in done.into_iter().zip(answers) {
            done(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use jiuzhou_engine::terms::Digest;

    use super::*;
    use crate::audit::{Kind, entry::WorkloadId};

    /// A log in memory whose appends wait for a word, and that tells the size of each batch.
    struct Slow {
        size: u64,
        go: mpsc::Receiver<()>,
        batches: mpsc::Sender<usize>,
    }

    impl Log for Slow {
        fn head(&self) -> Head {
            Head { log: "slow".into(), size: self.size, term: 0, digest: Digest::sha256(b"") }
        }

        fn append(&mut self, expected: Expected, entries: &[Entry]) -> Result<Vec<Answer>, AuditError> {
            self.batches.send(entries.len()).expect("the test listens");
            self.go.recv().expect("the test says go");
            if expected.size != self.size {
                return Err(AuditError::Moved { expected: expected.size, found: self.size });
            }
            let first = self.size;
            self.size += entries.len() as u64;
            let receipt = |seq| Ok(Receipt { seq, digest: Digest::sha256(b""), fresh: true });
            Ok((first..self.size).map(receipt).collect())
        }

        fn read(&self, _: u64, _: usize) -> Result<Vec<Record>, AuditError> {
            Ok(Vec::new())
        }

        fn find(&self, _: &Entry, _: u64) -> Result<Option<Record>, AuditError> {
            Ok(None)
        }
    }

    fn decision(number: u32) -> Entry {
        let mut entry = Entry::new(Timestamp::UNIX_EPOCH, Kind::DecisionCommitted, "hub");
        entry.decision = Some(Digest::sha256(&number.to_le_bytes()));
        entry.workload = Some(WorkloadId { namespace: "a".into(), name: "b".into(), uid: None });
        entry
    }

    #[test]
    fn all_that_wait_during_one_write_share_the_next() {
        let (say_go, go) = mpsc::channel();
        let (batches, seen) = mpsc::channel();
        let (send, receive) = mpsc::channel();
        let recorder = Recorder::start(Slow { size: 0, go, batches }).unwrap();
        let submit = |term, number| {
            let send = send.clone();
            recorder
                .submit(term, decision(number), move |answer| send.send(answer.map(|receipt| receipt.seq)).unwrap());
        };
        submit(1, 0);
        assert_eq!(seen.recv().unwrap(), 1, "the first does not wait for company");
        (1..=100).for_each(|number| submit(1, number));
        submit(2, 101);
        say_go.send(()).unwrap();
        assert_eq!(seen.recv().unwrap(), 100, "one write for all of the same term");
        say_go.send(()).unwrap();
        assert_eq!(seen.recv().unwrap(), 1, "another term is another append");
        say_go.send(()).unwrap();
        let answers: Vec<u64> = (0..102).map(|_| receive.recv().unwrap().unwrap()).collect();
        assert_eq!(answers, (0..102).collect::<Vec<_>>());
        assert_eq!(recorder.stats(), Stats { appended: 102, batches: 3, ..Stats::default() });
    }

    #[test]
    fn a_writer_that_lost_the_log_to_another_is_refused_from_then_on() {
        struct Taken(Slow);
        impl Log for Taken {
            fn head(&self) -> Head {
                self.0.head()
            }
            fn append(&mut self, expected: Expected, entries: &[Entry]) -> Result<Vec<Answer>, AuditError> {
                let answers = self.0.append(expected, entries);
                // Another process appends behind our back.
                self.0.size += 1;
                answers
            }
            fn read(&self, from: u64, most: usize) -> Result<Vec<Record>, AuditError> {
                self.0.read(from, most)
            }
            fn find(&self, entry: &Entry, term: u64) -> Result<Option<Record>, AuditError> {
                self.0.find(entry, term)
            }
        }
        let (say_go, go) = mpsc::channel();
        let (batches, _seen) = mpsc::channel();
        let recorder = Recorder::start(Taken(Slow { size: 5, go, batches })).unwrap();
        (0..3).for_each(|_| say_go.send(()).unwrap());
        assert_eq!(recorder.append(1, decision(0)).unwrap().seq, 5);
        let error = recorder.append(1, decision(1)).unwrap_err();
        assert!(matches!(error, AuditError::Moved { expected: 6, found: 7 }), "{error}");
        assert!(recorder.append(1, decision(2)).is_err());
    }

    #[test]
    fn closing_writes_what_waits() {
        let (say_go, go) = mpsc::channel();
        let (batches, seen) = mpsc::channel();
        let (send, receive) = mpsc::channel();
        let recorder = Recorder::start(Slow { size: 0, go, batches }).unwrap();
        for number in 0..2 {
            let send = send.clone();
            recorder.submit(1, decision(number), move |answer| send.send(answer.is_ok()).unwrap());
        }
        (0..2).for_each(|_| say_go.send(()).unwrap());
        drop(recorder);
        assert_eq!(receive.try_iter().collect::<Vec<_>>(), [true, true]);
        assert_eq!(seen.try_iter().sum::<usize>(), 2);
    }
}
