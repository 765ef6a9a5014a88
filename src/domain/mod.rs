//! What Palabre talks about, and the rules that need no database: types that can only be made by parsing, and pure
//! functions. A value of one of these types is valid.
//!
//! Nothing here reads a file or a network. [`Timestamp::now`] and the ids' `generate` stand here beside their types, and
//! are called by the use cases alone.

mod access;
mod account;
mod agreement;
mod comment;
mod comparison;
mod cursor;
mod decision;
mod disagreement;
mod event;
mod ids;
mod lesson;
mod model;
mod object;
mod pace;
mod policy;
mod priority;
mod queue;
mod recall;
mod report;
mod sample;
mod sanction;
pub mod schema;
mod score;
mod simulation;
mod site;
mod text;
mod thread;
mod time;
mod verdict;

pub use access::{Caller, Permission, Role, SiteScope};
pub use account::{Account, Password};
pub use agreement::{Agreement, Opinion, OpinionPair, ReasonAgreement};
pub use comment::{
    Author, Comment, DuplicateKind, DuplicateOf, NewAuthor, NewComment, Reason, ReasonCode,
    Revision, StandingDecision, Status, count_links,
};
pub use comparison::{
    Both, Compared, ComparedLabel, Differing, Disagreement, LabelAuc, Said, Tally, Would,
};
pub use cursor::{Cursor, InvalidCursor};
pub use decision::{
    Action, Decision, DecisionReason, LabelOverrides, Refusal, Scope, UndoRefusal, Verb,
};
pub use disagreement::Surprise;
pub use event::{Event, EventKind};
pub use ids::{
    AppealId, ClusterId, CommentId, DecisionId, NoteId, ReportId, SanctionId, SessionId, ShadowId,
    SiteId, ThreadId,
};
pub use lesson::taught;
pub use model::ModelVersion;
pub use object::{Object, object, optional_object};
pub use pace::Pace;
pub use policy::{MIN_DUPLICATE_CHARS, Mode, Policy, WordEntry};
pub use priority::{Credibility, Priority, PriorityPart, ReporterRecord};
pub use queue::{Claim, QueueName, QueueSort, Viewer};
pub use recall::{Answer, Answered, Interval, Missed};
pub use report::{
    Appeal, AppealAnswer, AppealOutcome, Report, ReportReason, Reporter, StandingAppeal,
};
pub use sample::{Sample, SampleKind, Share};
pub use sanction::{AuthorNote, Sanction, SanctionKind};
pub use score::{
    Highlight, Label, NotAScore, PerLabel, PolicyThresholds, Score, Scores, Span, Thresholds,
};
pub use simulation::{Curve, Found, Judged, Outcome, Received, Tradeoff, held_by};
pub use site::{Site, SiteChange, SiteSlug};
pub use text::{
    AuthorId, AuthorName, Body, Email, ExternalId, Invalid, Lang, MAX_BODY_CHARS, Note, Subject,
    ThreadKey, Title, Url, Words,
};
pub use thread::{Thread, ThreadChange, ThreadCounts};
pub use time::Timestamp;
pub use verdict::{AuthorStanding, Signals, ThreadStanding, Verdict, decide};
