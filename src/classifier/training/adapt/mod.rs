//! Adapts a model to a site: learns a part of its own from the decisions of its moderators, beside the frozen base.
//!
//! 1. `guard` sorts out what must not be learned from: copies, copied text under both labels, pasted comments of others.
//! 2. `lessons` holds the newest fifth out, by thread where that can be done.
//! 3. `table` fits the site's n-grams on what the base does not explain, once per fold without the fold's rows and once on
//!    all; `second` fits linfa's logistic regression on the base's log-odds and the site's sums, on the site's rows and the
//!    replay sample of the base together.
//! 4. `guard` looks for bursts of odd decisions of one moderator; where there are any, step 3 is done once more without them.
//! 5. Log-odds are calibrated to the rates of the site, and thresholds chosen that hold no more calm comments than before.
//! 6. `measure` holds the candidate against the live model, on what neither has seen; `gate` says whether it may go live.
//!
//! A label with too few decisions of either class, whose decisions nothing can be learned from, or on which more is lost
//! elsewhere than is won at the site, keeps the base's answer.
//! The same lessons, base and seed make the same file, byte for byte.

mod closer;
mod compare;
mod gate;
mod guard;
mod lessons;
mod levels;
mod measure;
mod own;
mod reader;
mod report;
mod second;
mod table;

use super::calibrate::natural_rate;
use super::dataset::Split;
use super::pipeline::LEAST_ROWS;
use super::replay::Replay;
use super::sparse::Matrix;
use super::{Progress, TrainError};
use crate::classifier::artefact::{self, Artefact, SiteHeader};
use crate::classifier::model::Model;
use crate::classifier::table::Table;
use crate::classifier::{ModelError, site};
use crate::domain::{Label, PerLabel, Score};
use rayon::prelude::*;

pub use closer::{Closer, Group, Mover, Operating, Shape, Sides, Tenth, Within};
pub use compare::{Compared, Held, Interval};
pub use gate::Check;
pub use guard::{Finding, FindingKind};
pub use lessons::Lesson;
pub use own::own_sentences;
pub use report::{AdaptReport, LabelNote, Taught};

/// What adapting may be told.
#[derive(Debug, Clone)]
pub struct AdaptOptions {
    /// Starts every random choice.
    pub seed: u64,
    /// Name of the model to be made.
    pub version: String,
    /// Comments that the site received while these decisions were made, decided or not; none where nobody knows.
    pub received: Option<u64>,
    /// Decisions that would teach something, and are not among the lessons as there are so many.
    pub left_aside: u64,
}

/// A model adapted to a site, and what there is to say of it.
#[derive(Debug)]
pub struct Adapted {
    /// The model's file; none where no label had enough decisions to learn from.
    pub artefact: Option<Vec<u8>>,
    pub report: AdaptReport,
}

/// A lesson made ready to be learned from.
pub(crate) struct Row {
    /// What the base makes of it, per label.
    odds: PerLabel<f32>,
    /// Out-of-fold, what the site's part makes of it.
    sums: site::Vector,
    /// How far it is to be believed; 0 is not at all.
    trust: f32,
    measured: bool,
    fold: usize,
}

/// Adapts `base` to `lessons`, and compares the outcome with `live`; both are model files.
///
/// # Errors
/// If a file cannot be used, or a second stage does not converge.
pub fn adapt(
    base: &[u8],
    live: &Model,
    lessons: &[Lesson],
    options: &AdaptOptions,
    progress: &dyn Progress,
) -> Result<Adapted, TrainError> {
    let parts = artefact::read(base)?;
    let replay_bytes = artefact::replay(base)?;
    let replay = Replay::from_bytes(replay_bytes)?;
    progress.stage("reading", lessons.len() as u64);
    let reader = reader::Reader::new(&parts)?;
    let (mut rows, prints) = reader.rows(lessons, progress);
    let mut findings = guard::copies(lessons, &mut rows, &prints);
    drop(prints);
    lessons::split(lessons, &mut rows);
    let enough: Vec<Label> = Label::ALL
        .into_iter()
        .filter(|label| lessons::has_enough(lessons, &rows, *label, LEAST_ROWS))
        .collect();
    let mut report = AdaptReport::new(&parts, live, lessons, &rows, options);
    report.findings.clone_from(&findings);
    for label in Label::ALL.into_iter().filter(|l| !enough.contains(l)) {
        report.note(label, LabelNote::TooFew);
    }
    if enough.is_empty() {
        report.checks.push(gate::agree(&report));
        return Ok(Adapted {
            artefact: None,
            report,
        });
    }

    progress.stage("features", 2 * lessons.len() as u64);
    let learned = rows.iter().filter(|row| row.trust > 0.0 && !row.measured);
    let mut own = own::Own::read(&reader, learned.count())?;
    let mut matrix = Matrix::build(
        lessons.len(),
        |at| reader::words(&lessons[at]),
        |rows| progress.advance(rows),
    );
    matrix.extend(own.lessons.len(), |at| reader::words(&own.lessons[at]));
    let ground = Ground {
        lessons,
        reader: &reader,
        matrix: &matrix,
        replay: &replay,
        base: &parts.header,
    };
    let mut learned = learn(&ground, &mut rows, &mut own, &enough, options, progress)?;
    let bursts = guard::bursts(lessons, &mut rows, &learned);
    if !bursts.is_empty() {
        findings.extend(bursts);
        learned = learn(&ground, &mut rows, &mut own, &enough, options, progress)?;
    }
    report.findings = findings;

    let mut finished = Vec::new();
    for (label, fitted) in &learned.stages {
        let Some(second::Fitted { stage, points }) = fitted else {
            report.note(*label, LabelNote::NothingLearned);
            continue;
        };
        report.note(*label, LabelNote::Learned);
        report.compared("folds", *label, "all", points);
        let rate = lessons::rate(lessons, &rows, *label, options.received)
            .unwrap_or_else(|| natural_rate(*label));
        let stage = levels::calibrated(stage, *label, &ground, &rows, rate);
        let threshold = levels::threshold(&stage, *label, &ground, &rows, &own);
        finished.push((*label, stage, threshold));
    }
    let base = alone(&parts)?;
    // The vectors of the replay sample are the base's: a live model of another base can make nothing of them.
    let replayed_by = if live.stands_on(&parts.table) {
        live
    } else {
        &base
    };
    let sentences = own::sentences(Split::Test)?;
    let mut candidate = loop {
        let candidate = candidate(&parts, &learned.table, &finished, &options.version);
        let models = measure::Models {
            live,
            candidate: &Model::assemble(candidate.clone(), String::new())?,
            replayed_by,
            base: live.is_adapted().then_some(&base),
        };
        progress.stage("comparing", 3);
        measure::measure(
            &mut report,
            &models,
            lessons,
            &rows,
            &replay,
            &sentences,
            progress,
        );
        report.checks = gate::checks(&report, lessons, &rows, &replay, &enough);
        let costly = gate::costly(&report);
        if costly.is_empty() || costly.len() == finished.len() {
            break candidate;
        }
        finished.retain(|(label, ..)| !costly.contains(label));
        for label in costly {
            report.drop(label);
        }
    };
    candidate.header.report = serde_json::to_value(&report)?;
    Ok(Adapted {
        artefact: Some(artefact::write(&candidate, replay_bytes)?),
        report,
    })
}

/// The base with a part for the site, which has a say on these labels.
fn candidate(
    base: &Artefact,
    table: &Table,
    finished: &[(Label, second::Stage, Score)],
    version: &str,
) -> Artefact {
    let header = &base.header;
    let mut site = SiteHeader {
        base: header.version.clone(),
        inputs: site::names(),
        weights: (header.weights).map(|base| [base.clone(), vec![0.0; site::SIZE]].concat()),
        bias: header.bias,
        table_scale: *table.scale(),
        thresholds: header.thresholds,
    };
    for (label, stage, threshold) in finished {
        *site.thresholds.get_mut(*label) = *threshold;
        *site.weights.get_mut(*label) = stage.weights(header);
        *site.bias.get_mut(*label) = stage.bias(header);
    }
    Artefact {
        header: artefact::Header {
            version: version.to_owned(),
            site: Some(site),
            ..header.clone()
        },
        table: base.table.clone(),
        site: Some(table.clone()),
    }
}

/// The base of a model, without its site's part.
fn alone(artefact: &Artefact) -> Result<Model, ModelError> {
    let mut base = artefact.clone();
    base.header.site = None;
    base.site = None;
    Model::assemble(base, String::new())
}

/// What is learned from.
#[derive(Clone, Copy)]
struct Ground<'a> {
    lessons: &'a [Lesson],
    reader: &'a reader::Reader<'a>,
    matrix: &'a Matrix,
    replay: &'a Replay,
    base: &'a artefact::Header,
}

/// What was learned of the site.
pub(crate) struct Learned {
    table: Table,
    /// Per label with enough lessons its second stage; none where it found nothing to learn.
    stages: Vec<(Label, Option<second::Fitted>)>,
}

/// Fits both stages; each row keeps its out-of-fold sums.
fn learn(
    ground: &Ground<'_>,
    rows: &mut [Row],
    own: &mut own::Own,
    enough: &[Label],
    options: &AdaptOptions,
    progress: &dyn Progress,
) -> Result<Learned, TrainError> {
    let table = table::fit(ground, rows, own, options.seed, progress);
    progress.stage("second stage", enough.len() as u64);
    let stages = enough
        .par_iter()
        .map(|label| {
            let stage = second::fit(*label, ground, rows, own, options.seed)?;
            progress.advance(1);
            Ok((*label, stage))
        })
        .collect::<Result<_, TrainError>>()?;
    Ok(Learned { table, stages })
}
