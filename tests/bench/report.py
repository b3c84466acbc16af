"""Figures, their quartiles and targets, and the table of them; the progress line on the way."""
import json
import os
import statistics
import sys
import time


def quartiles(samples):
    if len(samples) == 1:
        return samples[0], samples[0], samples[0]
    low, middle, high = statistics.quantiles(samples, n=4, method='inclusive')
    return low, middle, high


class Figure:
    """One measured thing. at_least or at_most is its target, or None where it is shown for comparison only."""

    def __init__(self, section, name, samples, unit='x', at_least=None, at_most=None, note='', detail=None,
                 reference=None):
        self.section, self.name, self.samples, self.unit = section, name, samples, unit
        self.at_least, self.at_most, self.note, self.detail = at_least, at_most, note, detail
        self.reference = reference  # the same figure for what stands in the column of the report's reference
        self.low, self.median, self.high = quartiles(samples)

    @property
    def verdict(self):
        """A target is met when it lies within or on the good side of the quartiles."""
        if self.at_least is not None:
            return 'met' if self.at_least <= self.high else 'MISSED'
        if self.at_most is not None:
            return 'met' if self.at_most >= self.low else 'MISSED'
        return ''

    @property
    def target(self):
        if self.at_least is not None:
            return f'>= {self.at_least:g}'
        return f'<= {self.at_most:g}' if self.at_most is not None else ''

    def number(self, value):
        return f'{value:.2f}' if self.unit == 'x' else f'{value:.0f}'

    def row(self):
        unit = '' if self.unit == 'x' else f' {self.unit}'
        reference = [] if self.reference is None else [self.number(self.reference) + unit]
        return [self.name, self.number(self.median) + unit, f'{self.number(self.low)} .. {self.number(self.high)}',
                *reference, self.target, self.verdict, self.note]

    def to_json(self):
        return {'section': self.section, 'name': self.name, 'unit': self.unit, 'median': self.median,
                'quartiles': [self.low, self.high], 'reference': self.reference, 'target': self.target, 'verdict': self.verdict,
                'note': self.note, 'samples': self.samples, 'detail': self.detail}


class Report:
    def __init__(self, facts, title='make bench', reference=None):
        self.facts, self.title, self.reference = facts, title, reference
        self.figures = []
        self.remarks = []

    def add(self, *args, **kwargs):
        self.figures.append(Figure(*args, **kwargs))

    def remark(self, text):
        self.remarks.append(text)
        print(f'\nbench: {text}', file=sys.stderr)

    def table(self):
        lines = [f'# {self.title}', ''] + [f'* {key}: {value}' for key, value in self.facts.items()]
        lines += [f'* {remark}' for remark in self.remarks]
        reference = [] if self.reference is None else [self.reference]
        head = ['figure', 'median', 'quartiles', *reference, 'target', 'verdict', 'beside it']
        for section in dict.fromkeys(figure.section for figure in self.figures):
            rows = [head] + [figure.row() for figure in self.figures if figure.section == section]
            widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
            rows.insert(1, ['-' * width for width in widths])
            lines += ['', f'## {section}', '']
            lines += ['| ' + ' | '.join(cell.ljust(width) for cell, width in zip(row, widths)) + ' |' for row in rows]
        verdicts = [figure.verdict for figure in self.figures]
        lines += ['', f'{verdicts.count("met")} targets met, {verdicts.count("MISSED")} missed, '
                  f'{len(verdicts)} figures']
        return '\n'.join(lines) + '\n'

    def write(self, folder):
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, 'result.md'), 'w', encoding='utf-8') as file:
            file.write(self.table())
        with open(os.path.join(folder, 'result.json'), 'w', encoding='utf-8') as file:
            json.dump({'facts': self.facts, 'remarks': self.remarks,
                       'figures': [figure.to_json() for figure in self.figures]}, file, indent=1)


class Progress:
    """How much of the planned time is gone, and from that how long the rest takes."""

    def __init__(self, planned):
        self._planned, self._done = planned, 0.0
        self._start = time.monotonic()
        self._last = None

    def step(self, seconds, text):
        """Call before a step that was planned to take so many seconds."""
        share = self._done / self._planned if self._planned else 0
        gone = time.monotonic() - self._start
        left = gone / share * (1 - share) if share > 0.03 else self._planned - self._done
        self._done += seconds
        line = f'{100 * share:3.0f} %, about {left / 60:.0f} min left: {text}' if left >= 90 else \
            f'{100 * share:3.0f} %, about {left:.0f} s left: {text}'
        if sys.stderr.isatty():
            print(f'\r\x1b[K{line}', end='', file=sys.stderr, flush=True)
        elif text.split(',')[0] != self._last:  # in a log: one line a cell
            print(line, file=sys.stderr, flush=True)
            self._last = text.split(',')[0]

    def end(self):
        if sys.stderr.isatty():
            print('\r\x1b[K', end='', file=sys.stderr, flush=True)
