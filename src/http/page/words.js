// To add a language: its code in LANGUAGES, and one more column in WORDS. "|" parts the singular from the plural.
import { pref } from './prefs.js';

export const LANGUAGES = [['en', 'English'], ['fr', 'Français']];

const WORDS = {
	skip: ['Skip to the comments', 'Aller aux commentaires'],
	close: ['Close', 'Fermer'],
	saved: ['Saved.', 'Enregistré.'],
	retry: ['Try again', 'Réessayer'],
	more: ['More', 'Suite'],
	signin: ['Sign in', 'Se connecter'],
	name: ['Name', 'Nom'],
	password: ['Password', 'Mot de passe'],
	badLogin: ['Wrong name or password.', 'Nom ou mot de passe inexact.'],
	badLink: ['This link was used or is too old.', 'Ce lien a déjà servi ou il est trop vieux.'],
	tooOften: ['Too many tries. Wait {n} s.', 'Trop d’essais. Attendez {n} s.'],
	signout: ['Sign out', 'Se déconnecter'],
	account: ['Account', 'Compte'],
	sessions: ['Signed in on', 'Connexions'],
	revoke: ['End', 'Fermer'],
	changePassword: ['Change password', 'Changer de mot de passe'],
	old: ['Present password', 'Mot de passe actuel'],
	new: ['New password', 'Nouveau mot de passe'],
	threats: ['Threats', 'Menaces'],
	toxic: ['Toxic', 'Toxiques'],
	duplicates: ['Duplicates', 'Doublons'],
	reported: ['Reported', 'Signalés'],
	waiting: ['Waiting', 'En attente'],
	escalated: ['Escalated', 'Second avis'],
	appeals: ['Appeals', 'Recours'],
	sampled: ['Sampled', 'Échantillon'],
	all: ['All', 'Tout'],
	stats: ['Figures', 'Chiffres'],
	queues: ['Queues', 'Files'],
	search: ['Search', 'Chercher'],
	site: ['All sites', 'Tous les sites'],
	reason: ['Any reason', 'Tous les motifs'],
	priority: ['Most harm first', 'Le plus grave d’abord'],
	oldest: ['Oldest first', 'Les plus anciens'],
	newest: ['Newest first', 'Les plus récents'],
	fold: ['Fold copies', 'Plier les copies'],
	settings: ['Settings', 'Réglages'],
	theme: ['Colours', 'Couleurs'],
	auto: ['As the system', 'Comme le système'],
	light: ['Light', 'Clair'],
	dark: ['Dark', 'Sombre'],
	lang: ['Language', 'Langue'],
	keymap: ['Keys', 'Touches'],
	off: ['None', 'Aucune'],
	blur: ['Blur violent text', 'Flouter les textes violents'],
	empty: ['Nothing waits here.', 'Rien n’attend ici.'],
	emptyNext: ['Go on to {what}', 'Continuer : {what}'],
	emptyAll: ['All is done. Time for a tea.', 'Tout est fait. C’est l’heure du thé.'],
	work: ['Take 10', 'En prendre 10'],
	giveBack: ['Give back', 'Les rendre'],
	working: ['{n} for you alone', '{n} rien que pour vous'],
	loading: ['Loading…', 'Chargement…'],
	news: ['{n} new', '{n} nouveau|{n} nouveaux'],
	end: ['That was the last one.', 'C’était le dernier.'],
	offline: ['Offline; trying again', 'Hors ligne ; nouvel essai'],
	comments: ['Comments to decide', 'Commentaires à décider'],
	approve: ['Approve', 'Publier'],
	hide: ['Hide', 'Masquer'],
	escalate: ['Escalate', 'Second avis'],
	keepHidden: ['Keep hidden', 'Laisser masqué'],
	withReason: ['Reason…', 'Motif…'],
	subtree: ['Hide with all replies', 'Masquer avec les réponses'],
	tick: ['Tick', 'Cocher'],
	copies: ['{n} copy|{n} copies', '{n} copie|{n} copies'],
	why: ['Why here', 'Pourquoi ici'],
	points: ['{n} point|{n} points', '{n} point|{n} points'],
	showAll: ['Show all', 'Tout montrer'],
	showLess: ['Show less', 'Réduire'],
	marksBelow: ['{n} mark below|{n} marks below', '{n} marque plus bas|{n} marques plus bas'],
	reveal: ['Show the text', 'Montrer le texte'],
	above: ['{n} more above', '{n} autre au-dessus|{n} autres au-dessus'],
	removed: ['no longer shown', 'n’est plus visible'],
	edited: ['edited', 'modifié'],
	reports: ['Reported {n} time|Reported {n} times', 'Signalé {n} fois'],
	appealed: ['The author asks for another look:', 'L’auteur demande un nouvel examen :'],
	claimed: ['{who} is on it, until {until}', '{who} s’en occupe, jusqu’à {until}'],
	mine: ['Yours until {until}', 'À vous jusqu’à {until}'],
	'n.published': ['{n} published', '{n} publié|{n} publiés'],
	'n.hidden': ['{n} hidden', '{n} masqué|{n} masqués'],
	's.published': ['published', 'publié'],
	's.pending': ['waiting', 'en attente'],
	's.hidden': ['hidden', 'masqué'],
	's.deleted': ['deleted', 'supprimé'],
	'did.approve': ['Approved', 'Publié'],
	'did.hide': ['Hidden', 'Masqué'],
	'did.escalate': ['Escalated', 'Second avis demandé'],
	undo: ['Undo', 'Annuler'],
	undone: ['Taken back.', 'Annulé.'],
	'by.approve': ['{who} approved this {when}.', '{who} l’a publié {when}.'],
	'by.hide': ['{who} hid this {when}.', '{who} l’a masqué {when}.'],
	'by.escalate': ['{who} escalated this {when}.', '{who} a demandé un second avis {when}.'],
	'by.undo': ['{who} took a decision back {when}.', '{who} a annulé une décision {when}.'],
	'by.edit': ['The author edited this meanwhile.', 'L’auteur l’a modifié entre-temps.'],
	changed: ['This changed meanwhile.', 'Il a changé entre-temps.'],
	somebody: ['Somebody', 'Quelqu’un'],
	cameBack: ['One card came back|{n} cards came back', 'Une carte est revenue|{n} cartes sont revenues'],
	goThere: ['Go there', 'Y aller'],
	letGo: ['Leave it so', 'Laisser ainsi'],
	noNet: ['No connection.', 'Pas de connexion.'],
	failed: ['Server error. Nothing was saved.', 'Erreur du serveur. Rien n’est enregistré.'],
	ticked: ['{n} ticked', '{n} coché|{n} cochés'],
	whyHide: ['Hide: for what reason?', 'Masquer : pour quel motif ?'],
	allCopies: ['Decide all copies', 'Décider de toutes les copies'],
	note: ['Your answer to the author', 'Votre réponse à l’auteur'],
	send: ['Send', 'Envoyer'],
	'r.offensive': ['Offensive', 'Offensant'],
	'r.abusive': ['Abusive', 'Injurieux'],
	'r.hate': ['Hate', 'Haine'],
	'r.off_topic': ['Off topic', 'Hors sujet'],
	'r.illegal': ['Illegal', 'Illégal'],
	'r.personal_data': ['Personal data', 'Données personnelles'],
	'r.other': ['Other', 'Autre'],
	'r.toxicity': ['Toxic', 'Toxique'],
	'r.insult': ['Insult', 'Insulte'],
	'r.threat': ['Threat', 'Menace'],
	'r.identity_attack': ['Attack on a group', 'Attaque d’un groupe'],
	'r.profanity': ['Profanity', 'Grossièreté'],
	'r.spam': ['Spam', 'Spam'],
	'r.duplicate': ['Duplicate', 'Doublon'],
	'r.banned_word': ['Banned word', 'Mot interdit'],
	'r.suspect_word': ['Suspect word', 'Mot suspect'],
	'r.links': ['Links', 'Liens'],
	'r.first_comment': ['First comment', 'Premier commentaire'],
	'r.premoderation': ['Read first', 'Lu d’abord'],
	'r.report': ['Reported', 'Signalé'],
	'r.author_sanction': ['Author watched', 'Auteur suivi'],
	'r.appeal': ['Appeal', 'Recours'],
	'r.sample': ['Sample', 'Échantillon'],
	wholeThread: ['Whole thread', 'Tout le fil'],
	branch: ['Only these replies', 'Ces réponses seulement'],
	waitingBy: ['What waits by this author', 'Ce qui attend de cet auteur'],
	sanctions: ['Measures', 'Mesures'],
	'k.ban': ['Ban', 'Bannir'],
	'k.premoderate': ['Read first', 'Lire d’abord'],
	'k.trust': ['Trust', 'Confiance'],
	'k.shadow': ['Shadow', 'Ombre'],
	lift: ['Lift', 'Lever'],
	until: ['until {when}', 'jusqu’au {when}'],
	days: ['{n} day|{n} days', '{n} jour|{n} jours'],
	received: ['Received', 'Reçus'],
	held: ['Held', 'Retenus'],
	approved: ['Approved', 'Publiés'],
	hidden: ['Hidden', 'Masqués'],
	median: ['Median time to a decision', 'Temps médian de décision'],
	day: ['Day', 'Jour'],
	moderator: ['Moderator', 'Modérateur'],
	decisions: ['Decisions', 'Décisions'],
	count: ['Reasons', 'Motifs'],
	noStats: ['No figures for these days.', 'Aucun chiffre pour ces jours.'],
	next: ['Next card', 'Carte suivante'],
	prev: ['Card before', 'Carte d’avant'],
	tickAll: ['Tick all', 'Tout cocher'],
	allTicked: ['{what}, all ticked', '{what}, tous les cochés'],
	nextQueue: ['Next queue', 'File suivante'],
	thread: ['Thread', 'Fil'],
	author: ['Author', 'Auteur'],
	showNews: ['Show what is new', 'Montrer les nouveaux'],
	queue: ['Queue', 'File'],
};

let column, lang, plural, relative;

export function speak() {
	const known = LANGUAGES.map(([code]) => code);
	const wished = [pref('lang', ''), ...navigator.languages].map((tag) => tag.slice(0, 2));
	lang = wished.find((code) => known.includes(code)) ?? 'en';
	column = known.indexOf(lang);
	document.documentElement.lang = lang;
	plural = new Intl.PluralRules(lang);
	relative = new Intl.RelativeTimeFormat(lang, { numeric: 'auto', style: 'short' });
}
speak();

export const language = () => lang;
export const digits = (value, options = { maximumFractionDigits: 2 }) => new Intl.NumberFormat(lang, options).format(value);

export function t(key, vars = {}) {
	const [one, other = one] = (WORDS[key]?.[column] ?? key).split('|');
	const text = plural.select(vars.n ?? 1) === 'one' ? one : other;
	return text.replace(/\{(\w+)\}/g, (_, name) => (typeof vars[name] === 'number' ? digits(vars[name]) : vars[name] ?? ''));
}

// A probability in whole per cent, rounded down: nothing the machine says is quite certain.
export const percent = (score) => digits(Math.floor(score * 100) / 100, { style: 'percent' });

// In the largest unit that fits: [amount, unit].
function scaled(seconds) {
	let amount = seconds;
	for (const [unit, next] of [['second', 60], ['minute', 60], ['hour', 24], ['day', 30], ['month', 12], ['year', Infinity]]) {
		if (Math.abs(amount) < next) return [Math.trunc(amount), unit];
		amount /= next;
	}
}

export const ago = (instant) => relative.format(...scaled((Date.parse(instant) - Date.now()) / 1000));

export function duration(seconds) {
	const [amount, unit] = scaled(seconds);
	return digits(amount, { style: 'unit', unit, unitDisplay: 'short' });
}

export const clock = (instant) => new Date(instant).toLocaleTimeString(lang, { timeStyle: 'short' });
export const moment = (instant) => new Date(instant).toLocaleString(lang, { dateStyle: 'long', timeStyle: 'short' });
export const date = (day) => new Date(day).toLocaleDateString(lang, { day: 'numeric', month: 'short', timeZone: 'UTC' });
