// To add a language: its code in LANGUAGES, and a file like words-en.js with the same keys.
import { pref } from './prefs.js';

export const LANGUAGES = [['en', 'English'], ['fr', 'Français']];

let words, lang, plural, relative;

export async function speak() {
	const known = LANGUAGES.map(([code]) => code);
	const wished = [pref('lang', ''), ...navigator.languages].map((tag) => tag.slice(0, 2));
	lang = wished.find((code) => known.includes(code)) ?? 'en';
	words = (await import(`./words-${lang}.js`)).default;
	document.documentElement.lang = lang;
	plural = new Intl.PluralRules(lang);
	relative = new Intl.RelativeTimeFormat(lang, { numeric: 'auto', style: 'short' });
}
await speak();

// Further words, for a page that not everybody sees.
export async function learn(name) {
	Object.assign(words, (await import(`./${name}-${lang}.js`)).default);
}

export const language = () => lang;
export const digits = (value, options = { maximumFractionDigits: 2 }) => new Intl.NumberFormat(lang, options).format(value);

export function t(key, vars = {}) {
	const [one, other = one] = (words[key] ?? key).split('|');
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
