// Text only ever becomes text here: nothing on this page parses HTML from a string.
import { ago, digits, moment, t } from './words.js';

export const byId = (id) => document.getElementById(id);

// `h('button.quiet', { onclick, title: '…' }, 'text', child)`; what is null or false is left out.
export function h(tag, attributes, ...children) {
	const [name, ...classes] = tag.split('.');
	const element = document.createElement(name);
	if (classes.length) element.className = classes.join(' ');
	return dress(element, attributes, children);
}

export const svg = (name, attributes, ...children) => dress(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);

function dress(element, attributes, children) {
	for (const [key, value] of Object.entries(attributes ?? {})) {
		if (value == null || value === false) continue;
		if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
		else element.setAttribute(key, value === true ? '' : value);
	}
	fill(element, ...children);
	return element;
}

export const fill = (element, ...children) => element.replaceChildren(...children.flat(3).filter((child) => child != null && child !== false));

// Readers' words have a direction of their own, which does not leak into the page's.
export const theirs = (text, tag = 'bdi') => h(tag, { dir: 'auto' }, text);

export const cross = (onclick) => h('button.quiet', { onclick, 'aria-label': t('close') }, '×');

export const when = (instant) => h('time', { datetime: instant, title: moment(instant) }, ago(instant));

export function tickTimes() {
	for (const time of document.querySelectorAll('time')) time.textContent = ago(time.dateTime);
}

// Numbers with what they count: [name, number].
export const totals = (counts) => h('dl.totals', {}, counts.map(([name, n]) => h('div', {}, h('dt', {}, name), h('dd', {}, digits(n)))));

export const select = (attributes, options, chosen) => h('select', attributes, options.map(([value, label]) => h('option', { value, selected: value === chosen }, label)));

// Runs a task at once, but no more often than every so many milliseconds.
export function calmly(task, pause) {
	let resting = false;
	let wanted = false;
	return function run() {
		wanted = resting;
		if (resting) return;
		resting = true;
		setTimeout(() => { resting = false; if (wanted) run(); }, pause);
		task();
	};
}

export function translate() {
	for (const node of document.querySelectorAll('[data-t]')) node.textContent = t(node.dataset.t);
	for (const node of document.querySelectorAll('[data-label]')) node.ariaLabel = t(node.dataset.label);
}
