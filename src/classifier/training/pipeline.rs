//! The steps of training, in order.

use super::balance::{self, Targets};
use super::calibrate::{self, Platt};
use super::context::{self, Reply};
use super::dataset::{Example, Split};
use super::replay::Replay;
use super::report::{self, Report, stages};
use super::sparse::{self, Descent, Matrix};
use super::stack::{self, Linear, sigmoid};
use super::{Options, Progress, Random, TrainError, evaluate, thresholds};
use crate::classifier::artefact::{self, Artefact, Header};
use crate::classifier::context as above;
use crate::classifier::dense::{self, Evidence, SIZE, Scout, Vector};
use crate::classifier::lexicon::Lexicon;
use crate::classifier::model::Model;
use crate::classifier::normalise::glyphs;
use crate::classifier::quotes;
use crate::classifier::table::Table;
use crate::classifier::tokens::{Text, tokenise};
use crate::domain::{Label, PerLabel, Thresholds};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// A label with fewer examples of either class is not learned.
pub(crate) const LEAST_ROWS: usize = 30;
/// An input seen in fewer rows has not shown what it means.
const LEAST_SEEN: usize = 30;
/// Rows next to each other that share a fold.
const NEIGHBOURS: usize = 8;
/// Times the worst sentences are chosen anew by what the threat label has learned from the last choice.
const ROUNDS: usize = 3;
/// Sources with at most this share of toxic rows count as natural.
const NATURAL_SHARE: f64 = 0.2;

/// Trains a model and returns its file and what was measured.
///
/// # Errors
/// If no label has enough examples, or a second stage cannot be fitted.
pub fn train(
    examples: &[Example],
    options: &Options,
    progress: &dyn Progress,
) -> Result<(Vec<u8>, Report), TrainError> {
    let learned: Vec<Label> = Label::ALL
        .into_iter()
        .filter(|label| is_learnable(examples, *label))
        .collect();
    if learned.is_empty() {
        return Err(TrainError::NothingToLearn);
    }
    let lexicon =
        Lexicon::new().map_err(|e| crate::classifier::ModelError::Unfit(e.to_string()))?;
    let texts: Vec<Text> = examples
        .par_iter()
        .map(|example| normalised(example, options.seed))
        .collect();
    let targets = balance::targets(examples);
    let folds = folds(examples, options);
    let tables = first_stage(examples, &texts, &targets, &folds, options, progress);
    let read = |scout: &Scout| -> Vec<Vector> {
        progress.stage("vectors", texts.len() as u64);
        let rows = texts.par_iter().zip(&folds);
        rows.map(|(text, fold)| {
            progress.advance(1);
            let table = &tables[fold.unwrap_or(options.folds)];
            dense::read(table, &lexicon, scout, text).vector
        })
        .collect()
    };
    let threat_learned = learned.contains(&Label::Threat);
    let (vectors, threat) =
        choose_sentences(&read, threat_learned, examples, &targets, options.seed)?;

    progress.stage("second stage", learned.len() as u64);
    let calm_sources = natural_sources(examples);
    let natural = |example: &Example| calm_sources.contains(example.source.as_str());
    let second: Vec<(Label, Linear)> = learned
        .par_iter()
        .map(|label| {
            let fitted = match threat.as_ref().filter(|_| *label == Label::Threat) {
                // Its weights chose the sentences: fitted once more, they would choose others.
                Some(threat) => threat.clone(),
                None => second_stage(*label, examples, &vectors, &targets, options.seed)?,
            };
            let platt = platt(*label, examples, &vectors, &targets, &fitted, &natural);
            progress.advance(1);
            Ok((*label, calibrated(&fitted, platt)))
        })
        .collect::<Result<_, TrainError>>()?;

    let table = tables
        .last()
        .cloned()
        .unwrap_or_else(|| Table::pack(1, &[]).0);
    let mut weights = PerLabel::from_fn(|_| vec![0.0; SIZE]);
    let mut bias = PerLabel::from_fn(|_| -20.0);
    for (label, linear) in &second {
        *weights.get_mut(*label) = linear.weights.iter().map(|w| *w as f32).collect();
        *bias.get_mut(*label) = linear.bias as f32;
    }
    let scores: Vec<PerLabel<f32>> = vectors
        .iter()
        .map(|vector| {
            let mut scores = PerLabel::default();
            for (label, linear) in &second {
                *scores.get_mut(*label) = sigmoid(linear.apply(vector)) as f32;
            }
            scores
        })
        .collect();
    let (held, held_scores): (Vec<&Example>, Vec<PerLabel<f32>>) = examples
        .iter()
        .zip(&scores)
        .filter(|(example, _)| example.split != Split::Test)
        .unzip();
    let thresholds = thresholds::choose(&held, &held_scores, &natural);

    let scout = Scout::of(&weights.threat.as_slice().try_into().unwrap_or([0.0; SIZE]));
    let replies = replies(examples, &texts, &thresholds, |row, text| {
        let table = &tables[folds[row].unwrap_or(options.folds)];
        let evidence = dense::read(table, &lexicon, &scout, text);
        let mut log_odds = PerLabel::from_fn(|_| -20.0);
        for (label, linear) in &second {
            *log_odds.get_mut(*label) = linear.apply(&evidence.vector) as f32;
        }
        (evidence, log_odds)
    });
    let context = context::fit(examples, &replies, &thresholds)?;

    let header = Header {
        version: options.version.clone(),
        inputs: dense::names(),
        weights,
        bias,
        table_scale: *table.scale(),
        thresholds,
        context_inputs: above::INPUTS.map(str::to_owned).to_vec(),
        context: PerLabel::from_fn(|label| context.get(label).to_vec()),
        report: serde_json::Value::Null,
        site: None,
    };
    let mut artefact = Artefact {
        header,
        table,
        site: None,
    };
    let model = Model::assemble(artefact.clone(), String::new())?;
    let test: Vec<Example> = examples
        .iter()
        .filter(|example| example.split == Split::Test)
        .cloned()
        .collect();
    let report = Report {
        rows: report::count_rows(examples),
        not_learned: Label::ALL
            .into_iter()
            .filter(|label| !learned.contains(label))
            .collect(),
        thresholds,
        stages: stages(Split::Test, examples, &vectors, &scores),
        out_of_fold: stages(Split::Train, examples, &vectors, &scores),
        test: evaluate(&model, &test),
    };
    artefact.header.report = serde_json::to_value(&report)?;
    let replay = Replay::sample(examples, &vectors, &natural, options.seed).to_bytes()?;
    Ok((artefact::write(&artefact, &replay)?, report))
}

fn is_learnable(examples: &[Example], label: Label) -> bool {
    [true, false].into_iter().all(|class| {
        let rows = examples.iter().filter(|e| e.split == Split::Train);
        rows.filter(|e| *e.labels.get(label) == Some(class)).count() >= LEAST_ROWS
    })
}

/// A row as it will be served; half of the French ones without their accents, as half of the French comments are.
fn normalised(example: &Example, seed: u64) -> Text {
    let mut glyphs = glyphs(&example.text);
    let lose_accents =
        example.split == Split::Train && xxh3_64_with_seed(example.text.as_bytes(), seed) & 1 == 0;
    if lose_accents {
        for glyph in &mut glyphs {
            glyph.accented = glyph.plain;
        }
    }
    let parent: Vec<&str> = example.parent.as_deref().into_iter().collect();
    let quotes = quotes::find(&glyphs, &parent);
    tokenise(&glyphs, &quotes)
}

/// The rows that answer something and are such that it matters. `read` reads a text as its row is read.
fn replies(
    examples: &[Example],
    texts: &[Text],
    thresholds: &Thresholds,
    read: impl Fn(usize, &Text) -> (Evidence, PerLabel<f32>) + Sync,
) -> Vec<Reply> {
    (0..examples.len())
        .into_par_iter()
        .filter_map(|row| {
            let parent = examples[row].parent.as_deref()?;
            let (reply, own) = read(row, &texts[row]);
            above::depends(&reply).then(|| {
                let glyphs = glyphs(above::beginning(parent));
                let (parent, log_odds) = read(row, &tokenise(&glyphs, &[]));
                Reply {
                    row,
                    own,
                    inputs: above::read(&reply, &parent, &log_odds, thresholds),
                }
            })
        })
        .collect()
}

/// The fold of each training row; `None` for the others. Neighbours share a fold: variants of one sentence with opposite
/// labels stand together in a file, and a model that has seen one of them is misled, not tested, by the other.
fn folds(examples: &[Example], options: &Options) -> Vec<Option<usize>> {
    let mut random = Random(options.seed);
    let sources = examples.chunk_by(|a, b| a.source == b.source);
    let neighbours = sources
        .flat_map(|rows| rows.chunks(NEIGHBOURS))
        .flat_map(|rows| {
            let fold = (random.unit() * options.folds as f32) as usize;
            rows.iter().map(move |row| (row, fold))
        });
    neighbours
        .map(|(row, fold)| (row.split == Split::Train).then_some(fold.min(options.folds - 1)))
        .collect()
}

/// The sparse part without each fold, and last the one learned from all training rows.
fn first_stage(
    examples: &[Example],
    texts: &[Text],
    targets: &[Targets],
    folds: &[Option<usize>],
    options: &Options,
    progress: &dyn Progress,
) -> Vec<Table> {
    progress.stage("features", 2 * texts.len() as u64);
    let matrix = Matrix::build(texts.len(), |at| &texts[at], |rows| progress.advance(rows));
    let mut sources: HashMap<&str, usize> = HashMap::new();
    let source_of: Vec<usize> = examples
        .iter()
        .map(|example| {
            let next = sources.len();
            *sources.entry(&example.source).or_insert(next)
        })
        .collect();
    progress.stage("first stage", ((options.folds + 1) * options.epochs) as u64);
    let descent = Descent {
        epochs: options.epochs,
        rate: 0.1,
        decay: 1e-6,
        seed: options.seed,
    };
    (0..=options.folds)
        .into_par_iter()
        .map(|left_out| {
            let chosen: Vec<usize> = (0..examples.len())
                .filter(|row| folds[*row].is_some_and(|fold| fold != left_out))
                .collect();
            let done = || progress.advance(1);
            let rows = sparse::Rows {
                matrix: &matrix,
                targets,
                sources: &source_of,
                known: None,
            };
            sparse::fit(&rows, &chosen, descent, options.lines, done)
        })
        .collect()
}

/// The sparse part alone, learned from all training rows, and the rows as it reads them.
pub(super) fn sparse_alone(
    examples: &[Example],
    targets: &[Targets],
    options: &Options,
    progress: &dyn Progress,
) -> (Vec<Text>, Table) {
    let texts: Vec<Text> = examples
        .par_iter()
        .map(|example| normalised(example, options.seed))
        .collect();
    let whole = Options {
        folds: 0,
        ..options.clone()
    };
    // No row is in the one fold that is left out.
    let folds: Vec<Option<usize>> = examples
        .iter()
        .map(|example| (example.split == Split::Train).then_some(1))
        .collect();
    let mut tables = first_stage(examples, &texts, targets, &folds, &whole, progress);
    (texts, tables.swap_remove(0))
}

/// Chooses each row's worst sentence and learns from it what a threat is, in turns. Returns the vectors with the last choice,
/// and the threat label's second stage that made it.
fn choose_sentences(
    read: &dyn Fn(&Scout) -> Vec<Vector>,
    threat_learned: bool,
    examples: &[Example],
    targets: &[Targets],
    seed: u64,
) -> Result<(Vec<Vector>, Option<Linear>), TrainError> {
    let mut vectors = read(&Scout::sparse());
    let mut threat = None;
    for _ in 0..if threat_learned { ROUNDS } else { 0 } {
        let fitted = second_stage(Label::Threat, examples, &vectors, targets, seed)?;
        vectors = read(&Scout::of(&fitted.weights.map(|w| w as f32)));
        threat = Some(fitted);
    }
    Ok((vectors, threat))
}

fn second_stage(
    label: Label,
    examples: &[Example],
    vectors: &[Vector],
    targets: &[Targets],
    seed: u64,
) -> Result<Linear, TrainError> {
    let rows: Vec<_> = (0..examples.len())
        .filter(|row| examples[*row].split == Split::Train)
        .filter_map(|row| {
            targets[row]
                .get(label)
                .map(|target| (&vectors[row], target))
        })
        .collect();
    let inputs = dense::names();
    let mut usable: Vec<bool> = inputs
        .iter()
        .enumerate()
        .map(|(at, input)| {
            let seen = rows.iter().filter(|(vector, _)| vector[at] != 0.0);
            dense::may_use(label, input) && seen.take(LEAST_SEEN).count() == LEAST_SEEN
        })
        .collect();
    // linfa knows no signs: what comes out with the wrong one is left out, and the rest fitted again.
    loop {
        let fitted = stack::fit(label, &rows, |at| usable[at], seed)?;
        let wrong: Vec<usize> = (0..inputs.len())
            .filter(|at| {
                dense::speaks_for(label, &inputs[*at])
                    .is_some_and(|present| (fitted.weights[*at] > 0.0) != present)
                    && fitted.weights[*at] != 0.0
            })
            .collect();
        if wrong.is_empty() {
            return Ok(fitted);
        }
        for at in wrong {
            usable[at] = false;
        }
    }
}

fn calibrated(linear: &Linear, platt: Platt) -> Linear {
    Linear {
        weights: linear.weights.map(|weight| weight * platt.slope),
        bias: linear.bias * platt.slope + platt.offset,
    }
}

/// Weighs held-out rows to natural rates: positives by trust, negatives mostly natural ones.
fn platt(
    label: Label,
    examples: &[Example],
    vectors: &[Vector],
    targets: &[Targets],
    linear: &Linear,
    natural: &dyn Fn(&Example) -> bool,
) -> Platt {
    let rate = calibrate::natural_rate(label);
    let mut points = Vec::new();
    let mut groups = Vec::new();
    let mut sums = [0f64; 3];
    for (row, example) in examples.iter().enumerate() {
        let Some(target) = targets[row]
            .get(label)
            .filter(|_| example.split != Split::Test)
        else {
            continue;
        };
        let group = if target.present {
            0
        } else if natural(example) {
            1
        } else {
            2
        };
        let weight = f64::from(target.weight);
        sums[group] += weight;
        groups.push(group);
        points.push((linear.apply(&vectors[row]), target.present, weight));
    }
    let shares = if sums[1] > 0.0 && sums[2] > 0.0 {
        [rate, (1.0 - rate) * 0.7, (1.0 - rate) * 0.3]
    } else {
        [rate, 1.0 - rate, 1.0 - rate]
    };
    for (point, group) in points.iter_mut().zip(groups) {
        point.2 *= shares[group] / sums[group];
    }
    calibrate::fit(&points)
}

/// Sources that were not collected for their abuse.
pub(super) fn natural_sources(examples: &[Example]) -> BTreeSet<&str> {
    let mut counts: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for example in examples {
        if let Some(toxic) = example.labels.toxicity {
            let count = counts.entry(&example.source).or_default();
            count.0 += f64::from(u8::from(toxic));
            count.1 += 1.0;
        }
    }
    counts
        .into_iter()
        .filter(|(_, (toxic, all))| toxic / all <= NATURAL_SHARE)
        .map(|(source, _)| source)
        .collect()
}
