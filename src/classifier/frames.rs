//! Dense features that say how words of the [`super::lexicon`]'s classes stand together.
//!
//! "Mort aux tyrans" and "mort de onze soldats" share their words with each other and with half a war thread. What tells a
//! threat from a report is who does what to whom: an order at the start of a clause, the second person beside a verb of
//! violence, a wish before a death, a ministry that announces it. Each [`Frame`] counts one such figure in a window of a
//! few words of one sentence, in French and English alike, so that data in one language teach both.
//!
//! A count goes into the model as ln(1 + count). The tokens that made it are kept as evidence for highlights.
//!
//! To add a frame: name it in the list and count it in [`Reader`]; then train again.

use super::lexicon::{Class, Classes};
use super::tokens::{Gap, Kind, Text};

macro_rules! frames {
    ($($name:ident),* $(,)?) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[repr(u8)]
        pub(crate) enum Frame { $($name),* }

        /// Names of the frames, in the order of their values.
        pub(crate) const NAMES: &[&str] = &[$(stringify!($name)),*];
    };
}

frames! {
    Insult, InsultAtYou, InsultPointed, InsultNegated, InsultAtGroup,
    Vulgar, VulgarAtYou,
    Violence, ViolenceAtYou, ViolenceAtThem, ViolenceWilled, ViolenceMust, ViolenceAtGroup, ViolenceTold, ViolenceNegated,
    DeathTold, DeathWished, DeathWish, DeathWishTold, DeathCry,
    Weapon, WeaponAtYou, WeaponWilled, Home, HomeFated,
    Quoted, InsultQuoted, ViolenceQuoted, DeathWishQuoted, SlurQuoted,
    Order, OrderAtThem, OrderAtGroup, Fate, FateAtYou,
    Slur, SlurPointed, Identity, IdentityJudged,
    Report, Victim, Bless, Curse, CurseAt, Negation, Dismiss, DismissAtYou, Spam,
    AngryEmoji, KindEmoji,
}

/// How many frames there are.
pub(crate) const COUNT: usize = NAMES.len();

/// One sighting of a frame, on a range of tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sighting {
    pub frame: Frame,
    pub from: u32,
    pub to: u32,
}

/// All frames of a text whose tokens have these classes.
pub(crate) fn sightings(text: &Text, classes: &[Classes]) -> Vec<Sighting> {
    let mut reader = Reader {
        text,
        classes,
        sentence: (0, 0),
        told: false,
        found: Vec::new(),
    };
    let mut from = 0;
    while from < text.tokens.len() {
        let rest = text.tokens[from + 1..].iter();
        let to = from + 1 + rest.take_while(|token| token.gap < Gap::Sentence).count();
        reader.read_sentence(from, to);
        from = to;
    }
    reader.found
}

struct Reader<'a> {
    text: &'a Text,
    classes: &'a [Classes],
    sentence: (usize, usize),
    /// The sentence says who reported it, counts the dead, or mourns them.
    told: bool,
    found: Vec<Sighting>,
}

impl Reader<'_> {
    fn read_sentence(&mut self, from: usize, to: usize) {
        self.sentence = (from, to);
        self.told = (from..to).any(|at| {
            self.is(at, Class::Report)
                || self.is(at, Class::Victim)
                || matches!(self.text.tokens[at].kind, Kind::Number(_))
        });
        for at in from..to {
            match self.text.tokens[at].kind {
                Kind::Emoji => self.emoji(at),
                Kind::Word => {
                    self.single_words(at);
                    self.insults(at);
                    self.violence(at);
                    self.orders_and_wishes(at);
                    self.groups(at);
                    self.quoted(at);
                }
                Kind::Number(_) | Kind::Url => {}
            }
        }
    }

    fn opens_clause(&self, at: usize) -> bool {
        at == self.sentence.0 || self.text.tokens[at].gap >= Gap::Comma
    }

    fn is(&self, at: usize, class: Class) -> bool {
        self.classes[at].has(class)
    }

    fn see(&mut self, frame: Frame, a: usize, b: usize) {
        self.found.push(Sighting {
            frame,
            from: a.min(b) as u32,
            to: a.max(b) as u32 + 1,
        });
    }

    /// The nearest token of a class among the `reach` before `at`, in the sentence.
    fn before(&self, at: usize, reach: usize, class: Class) -> Option<usize> {
        let first = at.saturating_sub(reach).max(self.sentence.0);
        (first..at).rev().find(|i| self.is(*i, class))
    }

    /// The nearest token of a class among the `reach` after `at`, in the sentence.
    fn after(&self, at: usize, reach: usize, class: Class) -> Option<usize> {
        let end = (at + 1 + reach).min(self.sentence.1);
        (at + 1..end).find(|i| self.is(*i, class))
    }

    fn around(&self, at: usize, reach: usize, class: Class) -> Option<usize> {
        self.before(at, reach, class)
            .or_else(|| self.after(at, reach, class))
    }

    /// Counts `frame` if a word of `class` is where `near` looked.
    /// People named by a pronoun just after a verb: "… ceux qui", "… them", or "-les" where nothing follows that "les" could
    /// be the article of.
    fn people_after(&self, at: usize) -> Option<usize> {
        let pronoun = at + 1;
        let ends_clause =
            |at: usize| at + 1 >= self.sentence.1 || self.text.tokens[at + 1].gap >= Gap::Comma;
        self.after(at, 2, Class::Person).or_else(|| {
            (pronoun < self.sentence.1
                && self.is(pronoun, Class::Third)
                && !self.opens_clause(pronoun)
                && ends_clause(pronoun))
            .then_some(pronoun)
        })
    }

    fn see_if(&mut self, frame: Frame, at: usize, near: Option<usize>) {
        if let Some(other) = near {
            self.see(frame, at, other);
        }
    }

    fn single_words(&mut self, at: usize) {
        for (class, frame) in [
            (Class::Insult, Frame::Insult),
            (Class::Vulgar, Frame::Vulgar),
            (Class::Violence, Frame::Violence),
            (Class::Slur, Frame::Slur),
            (Class::Identity, Frame::Identity),
            (Class::Report, Frame::Report),
            (Class::Victim, Frame::Victim),
            (Class::Bless, Frame::Bless),
            (Class::Curse, Frame::Curse),
            (Class::Negation, Frame::Negation),
            (Class::Dismiss, Frame::Dismiss),
            (Class::Spam, Frame::Spam),
            (Class::Fate, Frame::Fate),
            (Class::Weapon, Frame::Weapon),
            (Class::Home, Frame::Home),
        ] {
            if self.is(at, class) {
                self.see(frame, at, at);
            }
        }
    }

    fn insults(&mut self, at: usize) {
        if self.is(at, Class::Insult) {
            self.see_if(Frame::InsultAtYou, at, self.around(at, 4, Class::Second));
            self.see_if(Frame::InsultPointed, at, self.before(at, 2, Class::Point));
            self.see_if(
                Frame::InsultNegated,
                at,
                self.before(at, 4, Class::Negation),
            );
            self.see_if(
                Frame::InsultAtGroup,
                at,
                self.around(at, 4, Class::Identity),
            );
        }
        if self.is(at, Class::Vulgar) {
            self.see_if(Frame::VulgarAtYou, at, self.around(at, 3, Class::Second));
        }
        if self.is(at, Class::Dismiss) {
            self.see_if(Frame::DismissAtYou, at, self.around(at, 4, Class::Second));
        }
        if self.is(at, Class::Slur) {
            self.see_if(Frame::SlurPointed, at, self.before(at, 2, Class::Point));
        }
        if self.is(at, Class::Curse) {
            let target = self.around(at, 2, Class::Second);
            self.see_if(
                Frame::CurseAt,
                at,
                target.or_else(|| self.before(at, 2, Class::Point)),
            );
        }
    }

    fn violence(&mut self, at: usize) {
        if self.is(at, Class::Fate) {
            self.see_if(Frame::FateAtYou, at, self.around(at, 2, Class::Second));
        }
        if self.is(at, Class::Violence) {
            self.see_if(Frame::ViolenceAtYou, at, self.around(at, 3, Class::Second));
            self.see_if(Frame::ViolenceAtThem, at, self.around(at, 2, Class::Third));
            self.see_if(Frame::ViolenceWilled, at, self.before(at, 4, Class::Will));
            self.see_if(Frame::ViolenceMust, at, self.before(at, 5, Class::Must));
            self.see_if(
                Frame::ViolenceAtGroup,
                at,
                self.around(at, 5, Class::Identity),
            );
            self.see_if(
                Frame::ViolenceNegated,
                at,
                self.before(at, 4, Class::Negation),
            );
            if self.told {
                self.see(Frame::ViolenceTold, at, at);
            }
        }
        if self.is(at, Class::Weapon) {
            self.see_if(Frame::WeaponAtYou, at, self.around(at, 5, Class::Second));
            let planned = self.before(at, 5, Class::Will);
            self.see_if(
                Frame::WeaponWilled,
                at,
                planned.or_else(|| self.before(at, 5, Class::Must)),
            );
        }
        if self.is(at, Class::Home) {
            self.see_if(Frame::HomeFated, at, self.around(at, 8, Class::Fate));
        }
        if self.is(at, Class::Death) {
            if self.told {
                self.see(Frame::DeathTold, at, at);
            }
            self.see_if(Frame::DeathWished, at, self.before(at, 6, Class::Wish));
        }
    }

    fn orders_and_wishes(&mut self, at: usize) {
        let begins = at == self.sentence.0 || !self.is(at - 1, Class::DeathWish);
        if self.is(at, Class::DeathWish) && begins {
            let phrase =
                (at + 1..self.sentence.1).take_while(|next| self.is(*next, Class::DeathWish));
            let last = at + phrase.count();
            self.see(Frame::DeathWish, at, last);
            if self.told {
                self.see(Frame::DeathWishTold, at, last);
            } else if self.opens_clause(at) {
                self.see(Frame::DeathCry, at, last);
            }
        }
        if self.is(at, Class::Order) && self.opens_clause(at) {
            self.see(Frame::Order, at, at);
            self.see_if(Frame::OrderAtThem, at, self.people_after(at));
            self.see_if(Frame::OrderAtGroup, at, self.after(at, 4, Class::Identity));
        }
    }

    fn groups(&mut self, at: usize) {
        if self.is(at, Class::Identity) {
            let judged = self.around(at, 4, Class::Insult);
            let judged = judged.or_else(|| self.around(at, 4, Class::Vulgar));
            self.see_if(Frame::IdentityJudged, at, judged);
        }
    }

    /// Words of others: who quotes an insult mostly complains of it.
    fn quoted(&mut self, at: usize) {
        if !self.text.tokens[at].quoted {
            return;
        }
        for (class, frame) in [
            (Class::Insult, Frame::InsultQuoted),
            (Class::Violence, Frame::ViolenceQuoted),
            (Class::DeathWish, Frame::DeathWishQuoted),
            (Class::Slur, Frame::SlurQuoted),
        ] {
            if self.is(at, class) {
                self.see(frame, at, at);
            }
        }
        if at == 0 || !self.text.tokens[at - 1].quoted {
            self.see(Frame::Quoted, at, at);
        }
    }

    fn emoji(&mut self, at: usize) {
        let letters = self.text.letters_of(&self.text.tokens[at]);
        let Some(emoji) = letters.first() else { return };
        if "😡😠🤬👿😈🖕💩🤡🐒🐵🐷🐖🐽🐍🐀🔪🔫💣☠💀🩸🤮🤢👎".contains(emoji.plain)
        {
            self.see(Frame::AngryEmoji, at, at);
        } else if "😀😃😄😁😊🙂😍🥰😘❤💕💙💚💛🙏👏💪👍🎉✌🤝🌹".contains(emoji.plain)
        {
            self.see(Frame::KindEmoji, at, at);
        }
    }
}

/// How often each frame was seen.
pub(crate) fn counts(sightings: &[Sighting]) -> [f32; COUNT] {
    let mut counts = [0f32; COUNT];
    for sighting in sightings {
        counts[sighting.frame as usize] += 1.0;
    }
    counts
}

/// What goes into the model for each frame: ln(1 + count).
pub(crate) fn values(sightings: &[Sighting]) -> [f32; COUNT] {
    counts(sightings).map(f32::ln_1p)
}

#[cfg(test)]
mod tests {
    use super::super::lexicon::Lexicon;
    use super::super::normalise::glyphs;
    use super::super::tokens::tokenise;
    use super::*;

    fn has(text: &str, frame: Frame) -> bool {
        let text = tokenise(&glyphs(text), &[]);
        let classes = Lexicon::new().unwrap().classify(&text);
        sightings(&text, &classes).iter().any(|s| s.frame == frame)
    }

    #[test]
    fn a_wish_is_told_from_a_report() {
        assert!(has("Mort aux tyrans !", Frame::DeathWish));
        assert!(!has(
            "La mort de onze soldats attriste le pays",
            Frame::DeathWish
        ));
        assert!(has(
            "Onze soldats sont morts selon le ministère",
            Frame::DeathTold
        ));
        assert!(has("I hope he dies slowly", Frame::DeathWished));
        assert!(has("Assez pleuré, mort aux voleurs", Frame::DeathCry));
        assert!(!has("Mort au combat à vingt ans", Frame::DeathCry));
        assert!(!has("Il est condamné à mort", Frame::DeathCry));
    }

    #[test]
    fn an_order_opens_its_clause() {
        assert!(has("Fusillez ceux qui trahissent", Frame::OrderAtThem));
        assert!(has("Attrapez-les, et brûlez-les !", Frame::OrderAtThem));
        assert!(!has(
            "Exécutez les travaux avant la pluie",
            Frame::OrderAtThem
        ));
        assert!(has("Courage, fusillez-les tous", Frame::OrderAtThem));
        assert!(!has("Le chef a dit qu'on fusillez personne", Frame::Order));
    }

    #[test]
    fn what_is_quoted_is_known_as_such() {
        assert!(has(
            "il m'a dit « imbécile » et il est parti",
            Frame::InsultQuoted
        ));
        assert!(!has(
            "il a dit « bonjour », cet imbécile",
            Frame::InsultQuoted
        ));
        assert!(!has("un \" imbécile", Frame::InsultQuoted));
    }

    #[test]
    fn an_insult_needs_an_address_to_be_aimed() {
        assert!(has("tu es un imbécile", Frame::InsultAtYou));
        assert!(has("bande de menteurs", Frame::InsultPointed));
        assert!(!has(
            "le film parle d'un idiot du village",
            Frame::InsultAtYou
        ));
        assert!(!has("Tu viens. Un idiot passe.", Frame::InsultAtYou));
    }

    #[test]
    fn values_grow_slower_than_counts() {
        let sighting = Sighting {
            frame: Frame::Spam,
            from: 0,
            to: 1,
        };
        let value = |n| values(&vec![sighting; n])[Frame::Spam as usize];
        assert!(value(1) > 0.6 && value(4) < 4.0 * value(1));
        assert!(value(0).abs() < f32::EPSILON);
    }
}
