// What the parts of the admins' page have in common.
import { h } from './dom.js';
import { open } from './dialogs.js';
import { digits, t } from './words.js';

export const LABELS = ['toxicity', 'insult', 'threat', 'identity_attack', 'profanity', 'spam'];

export const share = (value, places = 1) => (value == null ? '–' : digits(value, { style: 'percent', maximumFractionDigits: places }));
export const fixed = (value, places = 3) => (value == null ? '–' : digits(value, { minimumFractionDigits: places, maximumFractionDigits: places }));
export const signed = (value, places = 3) => digits(value, { minimumFractionDigits: places, maximumFractionDigits: places, signDisplay: 'exceptZero' });

export const head = (name, ...more) => h('header', {}, h('h2', {}, t(name)), more);

// Rows of which the first cell names the row.
export const table = (caption, heads, rows) => h(
	'div.scroll', { tabindex: 0, role: 'region', 'aria-label': caption },
	h(
		'table', {},
		h('thead', {}, h('tr', {}, heads.map((text) => h('th', { scope: 'col' }, text)))),
		h('tbody', {}, rows.map(([first, ...rest]) => h('tr', {}, h('th', { scope: 'row' }, first), rest.map((cell) => (cell instanceof Element && cell.matches('td') ? cell : h('td', {}, cell)))))),
	),
);

// Says what is about to happen; true if it is wanted.
export const confirm = (title, said, label) => open(title, (close) => h(
	'div', {}, [said].flat().map((line) => (line instanceof Element ? line : h('p', {}, line))),
	h('p.row', {}, h('button', { onclick: () => close(false), autofocus: true }, t('cancel')), h('button.primary', { onclick: () => close(true) }, label)),
));

// A part of a later version than the server's is not there.
export const isMissing = ({ status }) => status === 404 || status === 405;
