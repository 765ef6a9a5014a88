//! Words searched for in what waits.
//!
//! An index of words narrows the queue down to items in which every word that has letters or digits begins one of theirs.
//! What the index has split, such as `rapport_final`, and signs that it does not know, such as `100 %` or an emoji, are
//! then looked for in the text. What somebody searches for is never query syntax: the index is asked for letters and digits
//! alone, and the text for the word as it is.

use super::{Db, sql};

/// What the index is asked for: every run of letters and digits, each as the beginning of a word.
fn runs(words: &[String]) -> Vec<&str> {
    let mut runs: Vec<&str> = words
        .iter()
        .flat_map(|word| word.split(|c: char| !c.is_alphanumeric()))
        .filter(|run| !run.is_empty())
        .collect();
    runs.sort_unstable();
    runs.dedup();
    runs
}

/// Every run of letters and digits, in the syntax of SQLite.
fn fts5(runs: &[&str]) -> String {
    let beginnings: Vec<String> = runs.iter().map(|run| format!("\"{run}\"*")).collect();
    beginnings.join(" AND ")
}

/// The same in the syntax of PostgreSQL.
fn tsquery(runs: &[&str]) -> String {
    let beginnings: Vec<String> = runs.iter().map(|run| format!("'{run}':*")).collect();
    beginnings.join(" & ")
}

/// A pattern that finds `word` anywhere, whatever characters it has.
fn like(word: &str) -> String {
    let mut pattern = String::from("%");
    for c in word.chars() {
        if matches!(c, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(c);
    }
    pattern.push('%');
    pattern
}

/// Adds that the row of `queue` that goes by the name of `alias` holds all these words, which are without case and accents.
pub(super) fn conditions(
    db: &Db<'_>,
    select: &mut sql::Select,
    alias: &'static str,
    words: &[String],
) {
    let runs = runs(words);
    if !runs.is_empty() {
        match db {
            Db::Sqlite(_) => {
                select
                    .push(" AND ")
                    .push(alias)
                    .push(".entry IN (SELECT rowid FROM queue_words WHERE queue_words MATCH ")
                    .bind(fts5(&runs).as_str())
                    .push(")");
            }
            Db::Postgres(_) => {
                select
                    .push(" AND ")
                    .push(alias)
                    .push(".words @@ to_tsquery('simple', ")
                    .bind(tsquery(&runs).as_str())
                    .push(")");
            }
        }
    }
    for word in words {
        select.push(" AND ").push(alias).push(".folded LIKE ");
        select.bind(like(word).as_str()).push(" ESCAPE '\\'");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_readers_words_are_never_query_syntax() {
        assert_eq!(like("50%_\\"), "%50\\%\\_\\\\%");
        let words = ["near(a", "\"b*\"", "or", "c'd:*", "🔪", "--"].map(str::to_owned);
        let runs = runs(&words);
        assert_eq!(runs, ["a", "b", "c", "d", "near", "or"]);
        assert_eq!(fts5(&runs[..2]), "\"a\"* AND \"b\"*");
        assert_eq!(tsquery(&runs[..2]), "'a':* & 'b':*");
    }

    proptest! {
        #[test]
        fn the_index_is_asked_for_letters_and_digits_alone(words in proptest::collection::vec("\\PC{0,12}", 0..6)) {
            for run in runs(&words) {
                prop_assert!(run.chars().all(char::is_alphanumeric));
            }
        }
    }
}
