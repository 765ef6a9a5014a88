// What frames the list, drawn anew from the state it shows.
import { byId, fill, h, select } from './dom.js';
import { keyOf, mapNames } from './keys.js';
import { pref, remember } from './prefs.js';
import { addressOf, countOf, folds, TABS, tabOf } from './queue.js';
import { digits, language, LANGUAGES, t } from './words.js';

const REASONS = 'toxicity insult threat identity_attack profanity spam duplicate banned_word suspect_word links first_comment premoderation author_sanction'.split(' ');

export function drawTabs(filter, counts) {
	const { site, view } = filter;
	const here = view || tabOf(filter)?.name;
	const link = (tab, n) => h('a', { href: addressOf({ ...tab, site }), 'data-go': true, 'aria-current': tab.name === here && 'page' }, t(tab.name), n > 0 && h('span.n', {}, digits(n)));
	const nav = byId('tabs');
	fill(nav, TABS.map((tab) => link(tab, countOf(tab, counts))), link({ name: 'stats', view: 'stats' }));
	const current = nav.querySelector('[aria-current]');
	// Where they do not all fit, the present one does, and a bit of the next.
	if (current) nav.scrollLeft = current.offsetLeft + 1.5 * current.offsetWidth - nav.offsetLeft - nav.clientWidth;
}

export function drawFilters(filter, sites, go) {
	const pick = (name, options) => select({ name, 'aria-label': t(name), onchange: ({ target }) => go({ [name]: target.value }) }, options, filter[name]);
	const tag = (name) => filter[name] && h('button.tag', { type: 'button', onclick: () => go({ [name]: '' }) }, `${t(name)}: ${filter[name]} ×`);
	const isQueue = !filter.view;
	const search = h('input', { type: 'search', id: 'q', value: filter.q, placeholder: t('search'), 'aria-label': t('search'), dir: 'auto' });
	byId('filters').onsubmit = (event) => { event.preventDefault(); go({ q: search.value.trim() }); };
	// What the keyboard has chosen in stays focused.
	const held = byId('filters').querySelector(':focus-visible')?.name;
	fill(
		byId('filters'),
		isQueue && search,
		sites.length > 1 && pick('site', [['', t('site')], ...sites.map((slug) => [slug, slug])]),
		isQueue && [
			pick('reason', [['', t('reason')], ...REASONS.map((code) => [code, t(`r.${code}`)])]),
			pick('sort', ['', 'oldest', 'newest'].map((order) => [order, t(order || 'priority')])),
			filter.queue === 'waiting' && box('fold', folds(filter), (on) => go({ collapse: on ? '' : 'none' })),
			tag('thread'), tag('author'),
		],
	);
	if (held) byId('filters')[held]?.focus();
}

const box = (name, checked, change) => h('label', {}, h('input', { type: 'checkbox', checked, onchange: ({ target }) => change(target.checked) }), t(name));

export function drawTools({ name, role }, working, act, changed) {
	// The menu is drawn anew as well: it stays open, with the focus where it was.
	const onchange = ({ target: { name: key, value } }) => {
		remember(key, value);
		changed();
		byId('menu').showPopover();
		byId('menu').querySelector(`[name=${key}]`).focus();
	};
	const setting = (key, options, chosen) => h('label', {}, t(key), select({ name: key, onchange }, options, pref(key, chosen)));
	fill(
		byId('tools'),
		h('button.quiet', { onclick: () => act('work'), 'aria-pressed': String(working) }, t(working ? 'giveBack' : 'work'), keyOf('work')),
		h('button.quiet', { onclick: () => act('help'), 'aria-label': t('keymap') }, '?'),
		h('button.quiet', { popovertarget: 'menu', title: t('settings') }, name, ' ▾'),
		h(
			'div', { id: 'menu', popover: 'auto' },
			setting('theme', ['auto', 'light', 'dark'].map((theme) => [theme, t(theme)]), 'auto'),
			setting('lang', LANGUAGES, language()),
			setting('keymap', mapNames(), 'palabre'),
			box('blur', pref('blur') === 'yes', () => act('blur')),
			role === 'admin' && h('a', { href: 'moderation/models' }, t('models')),
			h('button', { onclick: () => act('account') }, t('account')), h('button', { onclick: () => act('signout') }, t('signout')),
		),
	);
}

export function dress() {
	const { classList, dataset } = document.documentElement;
	dataset.theme = pref('theme', 'auto');
	classList.toggle('blur', pref('blur') === 'yes');
}

// The line at the bottom lies over the page, so that nothing moves when it changes.
export class Bar {
	constructor(act) {
		this.act = act;
	}

	button(action, label = t(action)) {
		return h('button', { onclick: () => this.act(action) }, label, keyOf(action));
	}

	say(text, button) {
		fill(byId('said'), text, button);
	}

	ticked(n) {
		const verbs = ['approve', 'hide', 'escalate'].map((verb) => this.button(`${verb}All`, t(verb)));
		fill(byId('ticks'), n > 0 && [t('ticked', { n }), verbs, this.button('untick', '×')]);
	}

	news(n) {
		fill(byId('news'), n > 0 && this.button('news', t('news', { n })));
	}
}
