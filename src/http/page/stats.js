// What came, what became of it each day, and how long people waited.
import { get } from './api.js';
import { byId, fill, h, select, svg, totals } from './dom.js';
import { date, digits, duration, t } from './words.js';

const PERIODS = [7, 30, 90];
const DAY = 86_400_000;
const DRAWN = ['held', 'approved', 'hidden'];
const COUNTED = ['received', ...DRAWN];
// The drawing's own units.
const WIDTH = 720;
const HEIGHT = 130;

const lasting = (seconds) => (seconds == null ? '–' : duration(seconds));

export async function showStats(site, period = 30) {
	const choice = select({ 'aria-label': t('day'), onchange: () => showStats(site, Number(choice.value)) }, PERIODS.map((n) => [n, t('days', { n })]), period);
	const day = (daysAgo) => new Date(Date.now() - daysAgo * DAY).toISOString().slice(0, 10);
	const query = { site, from: day(period - 1), to: day(0), tz: Intl.DateTimeFormat().resolvedOptions().timeZone };
	const content = await get('v1/stats', query).then(figures, ({ message }) => message);
	fill(byId('figures'), h('header', {}, h('h2', {}, t('stats')), choice), content);
}

function figures({ items: days = [], reasons = [], moderators = [] }) {
	if (!days.length) return t('noStats');
	return [
		totals(COUNTED.map((name) => [t(name), days.reduce((sum, day) => sum + day[name], 0)])),
		chart(DRAWN.map((name) => h(`span.of-${name}`, {}, t(name))), days, Math.max(...days.flatMap((day) => DRAWN.map((name) => day[name]))), digits, bars),
		days.some((day) => day.median_seconds != null) && chart(t('median'), days, Math.max(...days.map((day) => day.median_seconds ?? 0)), duration, curve),
		table(['count', 'held'], reasons.map(({ code, count }) => [t(`r.${code}`), digits(count)])),
		moderators.length > 0 && table(['moderator', 'decisions', 'median'], moderators.map(({ name, decisions, median_seconds: median }) => [name, digits(decisions), lasting(median)])),
		table(['day', ...COUNTED, 'median'], days.map((day) => [date(day.date), ...COUNTED.map((name) => digits(day[name])), lasting(day.median_seconds)])),
	];
}

// For the eye; the table below has the same for everybody.
function chart(title, days, most, words, draw) {
	const x = (index) => (index * WIDTH) / days.length;
	const y = (value) => HEIGHT * (1 - value / (most || 1));
	const ends = h('p.ends', {}, [0, -1].map((index) => h('span', {}, date(days.at(index).date))));
	return h('figure', {}, h('figcaption', {}, title, h('span.n', {}, `≤ ${words(most)}`)), svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, 'aria-hidden': 'true' }, draw(days, x, y)), ends);
}

function bars(days, x, y) {
	const width = (x(1) * 0.8) / DRAWN.length;
	return days.map((day, index) => DRAWN.map((name, place) => (
		svg('rect', { class: `of-${name}`, x: x(index + 0.1) + place * width, y: y(day[name]), width: width * 0.9, height: HEIGHT - y(day[name]) })
	)));
}

function curve(days, x, y) {
	const points = days.flatMap(({ median_seconds: median }, index) => (median == null ? [] : [[x(index + 0.5), y(median)]]));
	// A line needs two days; each has its dot.
	return [svg('polyline', { points: points.join(' ') }), points.map(([cx, cy]) => svg('circle', { cx, cy, r: 3 }))];
}

const table = (heads, rows) => h(
	'table', {},
	h('thead', {}, h('tr', {}, heads.map((head) => h('th', { scope: 'col' }, t(head))))),
	h('tbody', {}, rows.map(([first, ...rest]) => h('tr', {}, h('th', { scope: 'row' }, first), rest.map((cell) => h('td', {}, cell))))),
);
