//! Adapts a model to a site: learns a part of its own from the decisions of its moderators, beside the frozen base.
//!
//! 1. `guard` sorts out what must not be learned from: copies, copied text under both labels, pasted comments of others.
//! 2. `lessons` holds the newest fifth out, by thread where that can be done.
//! 3. `table` fits the site's n-grams on what the base does not explain, once per fold without the fold's rows and once on
//!    all; `second` fits linfa's logistic regression on the base's log-odds and the site's sums, on the site's rows and the
//!    replay sample of the base together.
//! 4. `guard` looks for bursts of odd decisions of one moderator; where there are any, step 3 is done once more without them.
//! 5. Log-odds are calibrated to the rates of the site, and thresholds chosen that hold no more calm comments than before.
//! 6. `gate` holds the candidate against the live model, on what neither has seen, and says whether it may go live.
//!
//! A label with too few decisions of either class, or whose decisions nothing can be learned from, keeps the base's answer.
//! The same lessons, base and seed make the same file, byte for byte.

mod closer;
mod compare;
mod gate;
mod guard;
mod lessons;
mod report;
mod second;
mod table;

use super::calibrate::natural_rate;
use super::pipeline::LEAST_ROWS;
use super::replay::Replay;
use super::{Progress, TrainError};
use crate::classifier::artefact::{self, Artefact, SiteHeader};
use crate::classifier::dense::{self, Evidence, Scout};
use crate::classifier::fingerprint::Fingerprint;
use crate::classifier::lexicon::Lexicon;
use crate::classifier::model::Model;
use crate::classifier::normalise::glyphs;
use crate::classifier::tokens::{Text, tokenise};
use crate::classifier::{ModelError, quotes, site};
use crate::domain::{Label, PerLabel};
use rayon::prelude::*;

pub use closer::{Closer, Group, Mover, Operating, Shape, Sides, Tenth, Within};
pub use compare::{Compared, Held, Interval};
pub use gate::{Check, own_sentences};
pub use guard::{Finding, FindingKind};
pub use lessons::Lesson;
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
    text: Text,
    fingerprint: Fingerprint,
    evidence: Evidence,
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
    let mut rows = read(&parts, lessons, progress)?;
    let mut findings = guard::copies(lessons, &mut rows);
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

    let mut learned = learn(
        &parts, lessons, &mut rows, &replay, &enough, options, progress,
    )?;
    let bursts = guard::bursts(lessons, &mut rows, &learned);
    if !bursts.is_empty() {
        findings.extend(bursts);
        learned = learn(
            &parts, lessons, &mut rows, &replay, &enough, options, progress,
        )?;
    }
    report.findings = findings;

    let mut weights = parts
        .header
        .weights
        .map(|base| [base.clone(), vec![0.0; site::SIZE]].concat());
    let mut bias = parts.header.bias;
    let mut thresholds = parts.header.thresholds;
    for (label, stage) in &learned.stages {
        let Some(stage) = stage else {
            report.note(*label, LabelNote::NothingLearned);
            continue;
        };
        report.note(*label, LabelNote::Learned);
        let rate = lessons::rate(lessons, &rows, *label, options.received)
            .unwrap_or_else(|| natural_rate(*label));
        let stage = second::calibrated(stage, *label, lessons, &rows, &replay, &parts.header, rate);
        *thresholds.get_mut(*label) =
            second::threshold(&stage, *label, lessons, &rows, &replay, &parts.header);
        *weights.get_mut(*label) = stage.weights(&parts.header);
        *bias.get_mut(*label) = stage.bias(&parts.header);
    }
    let mut candidate = Artefact {
        header: artefact::Header {
            version: options.version.clone(),
            site: Some(SiteHeader {
                base: parts.header.version.clone(),
                inputs: site::names(),
                weights,
                bias,
                table_scale: *learned.table.scale(),
                thresholds,
            }),
            ..parts.header
        },
        table: parts.table,
        site: Some(learned.table),
    };
    let model = Model::assemble(candidate.clone(), String::new())?;
    progress.stage("comparing", 3);
    // The vectors of the replay sample are the base's: a live model of another base can make nothing of them.
    let base_alone;
    let replayed_by = if live.stands_on(&candidate.table) {
        live
    } else {
        base_alone = alone(&candidate)?;
        &base_alone
    };
    let models = gate::Models {
        live,
        candidate: &model,
        replayed_by,
    };
    gate::judge(&mut report, &models, lessons, &rows, &replay, progress)?;
    candidate.header.report = serde_json::to_value(&report)?;
    Ok(Adapted {
        artefact: Some(artefact::write(&candidate, replay_bytes)?),
        report,
    })
}

/// The base of a model, without its site's part.
fn alone(artefact: &Artefact) -> Result<Model, ModelError> {
    let mut base = artefact.clone();
    base.header.site = None;
    base.site = None;
    Model::assemble(base, String::new())
}

/// Each lesson as the base reads it.
fn read(
    base: &Artefact,
    lessons: &[Lesson],
    progress: &dyn Progress,
) -> Result<Vec<Row>, TrainError> {
    let lexicon = Lexicon::new().map_err(|e| ModelError::Unfit(e.to_string()))?;
    let header = &base.header;
    let threat = header.weights.threat.as_slice();
    let scout = Scout::of(&(threat.try_into()).map_err(|_| ModelError::Damaged)?);
    let rows = lessons.par_iter().map(|lesson| {
        progress.advance(1);
        let glyphs = glyphs(&lesson.text);
        let above: Vec<&str> = lesson.parent.as_deref().into_iter().collect();
        let quotes = quotes::find(&glyphs, &above);
        let text = tokenise(&glyphs, &quotes);
        let evidence = dense::read(&base.table, &lexicon, &scout, &text);
        Row {
            fingerprint: Fingerprint::new(&glyphs, &quotes, &text),
            odds: second::base_odds(header, &evidence.vector),
            evidence,
            text,
            sums: [0.0; site::SIZE],
            trust: 1.0,
            measured: false,
            fold: 0,
        }
    });
    Ok(rows.collect())
}

/// What was learned of the site.
pub(crate) struct Learned {
    table: crate::classifier::table::Table,
    /// Per label with enough lessons its second stage; none where it found nothing to learn.
    stages: Vec<(Label, Option<second::Stage>)>,
}

/// Fits both stages; each row keeps its out-of-fold sums.
fn learn(
    base: &Artefact,
    lessons: &[Lesson],
    rows: &mut [Row],
    replay: &Replay,
    enough: &[Label],
    options: &AdaptOptions,
    progress: &dyn Progress,
) -> Result<Learned, TrainError> {
    let table = table::fit(lessons, rows, options.seed, progress);
    progress.stage("second stage", enough.len() as u64);
    let stages = enough
        .par_iter()
        .map(|label| {
            let stage = second::fit(*label, lessons, rows, replay, &base.header, options.seed)?;
            progress.advance(1);
            Ok((*label, stage))
        })
        .collect::<Result<_, TrainError>>()?;
    Ok(Learned { table, stages })
}
