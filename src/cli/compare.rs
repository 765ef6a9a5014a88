//! `palabre models compare`

use std::collections::HashMap;

use clap::Args;

use crate::{
    domain::{CommentId, ComparedLabel, LabelAuc, ModelVersion, Said, SiteSlug, Timestamp},
    moderation::{Administration, ComparedItem, Comparison, ComparisonRequest},
};

/// Characters of a text that are shown.
const SHOWN: usize = 100;

/// Compare the shadow with the live model: what each would have held, and how moderators judged that.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  palabre models compare\n  palabre models compare 2026.11-4.site-1 --site le-soir --limit 50"
)]
pub struct CompareArgs {
    /// The shadow; whichever it is if absent
    version: Option<ModelVersion>,
    /// Only what was written on this site
    #[arg(long, value_name = "SLUG")]
    site: Option<SiteSlug>,
    /// Only what was written at this moment or later
    #[arg(long, value_name = "TIME", value_parser = super::moment)]
    since: Option<Timestamp>,
    /// How many comments to show, those on which the two differ most
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(0..=1000))]
    limit: u16,
    /// Print JSON, without texts
    #[arg(long)]
    json: bool,
}

pub async fn run(administration: &Administration, args: &CompareArgs) -> anyhow::Result<()> {
    let request = ComparisonRequest {
        site: args.site.clone(),
        since: args.since,
        limit: args.limit.into(),
    };
    let compared = administration.compare_models(args.version.as_ref(), &request);
    let compared = compared.await?;
    let texts = if args.json {
        HashMap::new()
    } else {
        let shown = compared.items.iter().map(|item| item.comment);
        administration.texts(shown).await?
    };
    if args.json {
        println!("{}", serde_json::to_string(&compared)?);
    } else {
        show(args, &compared, &texts);
    }
    Ok(())
}

fn show(args: &CompareArgs, compared: &Comparison, texts: &HashMap<CommentId, String>) {
    println!("live    {}", compared.live);
    println!(
        "shadow  {}, since {}, by {}",
        compared.shadow, compared.set_at, compared.set_by
    );
    println!();
    let left_out = compared.scored_by_another;
    if compared.compared == 0 && left_out == 0 {
        if args.site.is_some() || args.since.is_some() {
            println!("Nothing to compare: the shadow scored no such comment.");
        } else {
            println!(
                "Nothing to compare yet: servers score what is written from then on, within seconds."
            );
        }
        return;
    }
    println!(
        "{} comments that both scored, of the newest 100,000, written since {}",
        compared.compared, compared.since
    );
    if left_out > 0 {
        println!(
            "{left_out} more have scores of a model that was live before: palabre rescore gives them those of this one"
        );
    }
    if compared.compared == 0 {
        return;
    }
    println!();
    println!(
        "{:<24} comments   then hidden  then approved",
        "would be held by"
    );
    let would = &compared.would;
    let judged = &compared.judged;
    for (who, comments, said) in [
        ("both", would.hold_both, None),
        (
            "the live model only",
            would.hold_live_only,
            Some(judged.hold_live_only),
        ),
        (
            "the shadow only",
            would.hold_shadow_only,
            Some(judged.hold_shadow_only),
        ),
        ("neither", would.hold_neither, None),
    ] {
        println!(
            "{who:<24} {comments:>8}{}",
            said.map_or_else(String::new, decided)
        );
    }
    println!();
    println!(
        "{:<16} {:>9}  {:>11}   {:>8}  {:>10}   decided: have it, have it not",
        "label", "live only", "shadow only", "AUC live", "AUC shadow"
    );
    compared.labels.iter().for_each(show_label);
    if compared.labels.iter().any(|label| label.auc.is_some()) {
        println!(
            "The AUC favours the shadow: mostly what the live model held was decided. Copies count once."
        );
    }
    if compared.items.is_empty() {
        return;
    }
    println!();
    println!("to look at, where they differ most first:");
    for item in &compared.items {
        show_item(item, texts.get(&item.comment));
    }
}

fn decided(said: Said) -> String {
    format!("{:>14}{:>15}", said.wrong, said.fine)
}

fn show_label(of: &ComparedLabel) {
    let counts = format!(
        "{:<16} {:>9}  {:>11}",
        of.label.as_str(),
        of.hold_live_only,
        of.hold_shadow_only
    );
    match of.auc {
        Some(LabelAuc {
            live,
            shadow,
            positives,
            negatives,
        }) => println!("{counts}   {live:>8.3}  {shadow:>10.3}   {positives}, {negatives}"),
        None => println!("{counts}   {:>8}  {:>10}", "–", "–"),
    }
}

fn show_item(item: &ComparedItem, text: Option<&String>) {
    let held = match item.verdict {
        "held_by_shadow_only" => "the shadow would hold it",
        _ => "the live model would hold it",
    };
    let judged = match item.judged {
        Some("wrong") => ", a moderator hid it",
        Some(_) => ", a moderator approved it",
        None => "",
    };
    let label = item.label;
    println!();
    println!(
        "{}  {}/{}  {label} {:.3} → {:.3}",
        item.comment,
        item.site,
        item.thread.as_str(),
        item.live.get(label).value(),
        item.shadow.get(label).value()
    );
    println!("  {held}{judged}");
    if let Some(text) = text {
        println!("  {}", one_line(text));
    }
}

/// The beginning of a text, on one line.
fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    match line.char_indices().nth(SHOWN) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_shown_on_one_line_and_cut_between_characters() {
        assert_eq!(one_line("Un\n\tdeux  trois "), "Un deux trois");
        let long = "é".repeat(SHOWN + 1);
        assert_eq!(one_line(&long), format!("{}…", "é".repeat(SHOWN)));
        assert_eq!(one_line(&"é".repeat(SHOWN)), "é".repeat(SHOWN));
    }
}
