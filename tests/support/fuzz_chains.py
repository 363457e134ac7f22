"""Random programs: expressions of recorded methods nested in each other, by the kind of column that they give.

number    (X["f"].fillna(0.5) + X["s"].str.len()).clip(-1.0, 7.0)
text      X["u"].str.lower().where(X["f"] > 1.5, X["s"])
"""

from fuzz import Calls, calls
from fuzz_values import DRAWS, Drawn

_PARTS: dict[str, tuple[str, ...]] = {
    "number": (
        *("NUMBER + NUMBER", "NUMBER - INTEGER", "NUMBER * NUMBER", "NUMBER / NUMBER", "INTEGER / INTEGER", "-NUMBER"),
        *("NUMBER + {float}", "{float} - NUMBER", "NUMBER * {int}", "NUMBER / {positive}", "{int} / INTEGER"),
        *("NUMBER // {positive}", "NUMBER % {positive}", "NUMBER // NUMBER", "NUMBER.abs() ** 0.5", "NUMBER ** 2"),
        *(
            "NUMBER.fillna({float})",
            "NUMBER.fillna(NUMBER)",
            "NUMBER.fillna({int})",
            "NUMBER.abs()",
            "NUMBER.round({decimals})",
        ),
        *(
            "NUMBER.clip({low}, {high})",
            "NUMBER.clip(lower=NUMBER)",
            "NUMBER.where(TRUTH)",
            "NUMBER.where(TRUTH, NUMBER)",
        ),
        *(
            "NUMBER.mask(TRUTH, {int})",
            "NUMBER.mask(TRUTH, INTEGER)",
            "NUMBER.combine_first(INTEGER)",
            "INTEGER.where(TRUTH)",
        ),
        *("INTEGER.astype(float)", "TRUTH.astype(float)", "TRUTH * NUMBER", "NUMBER.replace({float}, {float2})"),
        *(
            "NUMBER.replace({float}, nan)",
            "NUMBER.map(lambda v: v + {int})",
            "NUMBER.map(lambda v: 1 if v > {float} else v)",
        ),
        *(
            "INTEGER.map({inttofloat})",
            "TEXT.map({wordtofloat})",
            "TEXT.map({wordtoint})",
            "TEXT.str.len()",
            "TEXT.str.find({letter})",
        ),
        *(
            "TEXT.str.count({letter})",
            "pd.to_numeric(TEXT, errors='coerce')",
            "DATE.dt.year",
            "DATE.dt.hour",
            "DATE.dt.dayofweek",
        ),
        *(
            "(DATE - DATE).dt.days",
            "(DATE - DATE).dt.total_seconds()",
            "np.log1p(NUMBER.clip(lower=0))",
            "np.sqrt(NUMBER.abs())",
        ),
        *(
            "np.maximum(NUMBER, INTEGER)",
            "np.minimum(NUMBER, {float})",
            "np.abs(NUMBER)",
            "np.floor(NUMBER)",
            "np.sign(NUMBER)",
        ),
        *("np.exp(NUMBER.clip(-9, 9))", "pd.Series(np.where(TRUTH, NUMBER, {float}), index=X.index)"),
        *(
            "pd.Series(np.where(TRUTH, NUMBER, INTEGER), index=X.index)",
            'X[["f", "g"]].sum(axis=1)',
            'X[["f", "i"]].mean(axis=1)',
        ),
        *("pd.Series(np.where(TRUTH, INTEGER, nan), index=X.index)", "pd.cut(NUMBER, {edges}, labels=False)"),
        *("NUMBER.astype('float32')", "X.assign(z=NUMBER).apply(lambda r: r['z'] * 2, axis=1)"),
        *(
            f"X.assign(z=NUMBER, y=INTEGER)[['z', 'y']].{name}(axis=1)"
            for name in ("sum", "mean", "max", "median", "std")
        ),
        *("X.assign(z=NUMBER, y=TEXT)[['z', 'y']].apply(lambda r: r['z'] if r['y'] == {word} else {float}, axis=1)",),
        *("X.assign(z=INTEGER, y=NUMBER)[['z', 'y']].apply(lambda r: r['z'] if r['y'] > {float} else r['y'], axis=1)",),
        *("pd.Series(X.assign(z=NUMBER)[['z', 'i']].to_numpy()[:, 0], index=X.index)", "np.power(NUMBER.abs(), 0.5)"),
        *(
            "pd.DataFrame({{'z': NUMBER, 'y': INTEGER}})['z']",
            "pd.concat([NUMBER.rename('z'), INTEGER.rename('y')], axis=1)['y'] / 2",
        ),
        *(
            "NUMBER.to_frame('z').fillna(0)['z']",
            "NUMBER.map(lambda v: round(v, 1))",
            "NUMBER.map(lambda v: v if v == v else {float})",
        ),
        *(
            "X.assign(z=INTEGER)['z'].mask(TRUTH)",
            "TRUTH.map({{True: {float}, False: {int}}})",
            "INTEGER.clip(upper={float})",
        ),
        *(
            "INTEGER.map({{0: 1, 1: 2}})",
            "TRUTH.where(TRUTH).astype(float)",
            "INTEGER ** 2.0",
            "NUMBER.transform(np.abs)",
        ),
        *("np.select([TRUTH, TRUTH], [NUMBER, {float}], default={int}) * NUMBER", "np.clip(NUMBER, {low}, {high})"),
        *("INTEGER.combine_first(NUMBER)", "TEXT.str.split({separator}).str.len()", "np.round(NUMBER, {decimals})"),
    ),
    "integer": (
        *("X.assign(z=INTEGER, y=INTEGER)[['z', 'y']].sum(axis=1)", "INTEGER.astype('int32') + INTEGER", "~INTEGER"),
        *(
            "INTEGER.map(lambda v: v % 3)",
            "X.assign(z=INTEGER, y=INTEGER)[['z', 'y']].apply(lambda r: r['z'] + r['y'], axis=1)",
        ),
        *("X.assign(z=TEXT)['z'].isna().astype(int)", "X.assign(z=NUMBER, y=TEXT)[['z', 'y']].isna().sum(axis=1)"),
        *('pd.Series(X[["i", "k"]].to_numpy()[:, 1], index=X.index)', "TRUTH.map({{True: {int}, False: {int2}}})"),
        *(
            "INTEGER + INTEGER",
            "INTEGER - {int}",
            "INTEGER * {count}",
            "-INTEGER",
            "INTEGER.abs()",
            "INTEGER % {count}",
        ),
        *(
            "INTEGER // {count}",
            "TRUTH.astype(int)",
            "TRUTH * INTEGER",
            "TRUTH + TRUTH",
            "NUMBER.fillna(0).clip(-99, 99).astype(int)",
        ),
        *(
            "INTEGER.clip(0, {count})",
            "INTEGER.where(TRUTH, INTEGER)",
            "INTEGER.where(TRUTH, {int})",
            "INTEGER.replace({int}, {int2})",
        ),
        *(
            'X["h"].dt.month',
            'X["h"].dt.year',
            'X["u"].str.len()',
            "INTEGER.map(lambda v: v * 2)",
            "INTEGER.map(lambda v: 0 if v < 0 else v)",
        ),
        *(
            "pd.Series(np.where(TRUTH, {int}, {int2}), index=X.index)",
            "pd.Series(np.where(TRUTH, INTEGER, {int}), index=X.index)",
        ),
        *(
            "INTEGER.clip(-9, 9).astype('int8')",
            "INTEGER.round({count})",
            'X[["b", "c"]].sum(axis=1)',
            "INTEGER.fillna({int})",
        ),
        *(
            "np.maximum(INTEGER, {int})",
            "np.abs(INTEGER)",
            "INTEGER.isin({ints}) + INTEGER",
            "(INTEGER > {int}).astype('int32')",
        ),
    ),
    "truth": (
        *(
            "X.assign(z=NUMBER, y=NUMBER)[['z', 'y']].isna().any(axis=1)",
            "(X.assign(z=NUMBER)[['z', 'i']] > 0).all(axis=1)",
        ),
        "X.assign(z=NUMBER, y=TEXT)[['z', 'y']].apply(lambda r: r['z'] > 0 and r['y'] == {word}, axis=1)",
        *(
            "INTEGER.map(lambda v: v in {ints})",
            "TEXT.fillna('').map(lambda v: {letter} in v)",
            "TRUTH.mask(TRUTH, True)",
        ),
        *(
            "NUMBER > {float}",
            "NUMBER <= NUMBER",
            "INTEGER == {int}",
            "INTEGER != INTEGER",
            "NUMBER == {int}",
            "INTEGER < NUMBER",
        ),
        *(
            "TRUTH & TRUTH",
            "TRUTH | TRUTH",
            "TRUTH ^ TRUTH",
            "~TRUTH",
            "TEXT == {word}",
            "TEXT != TEXT",
            "TEXT.isin({words})",
        ),
        *(
            "NUMBER.isna()",
            "TEXT.notna()",
            "DATE.isnull()",
            "DATE < DATE",
            "DATE >= pd.Timestamp({date})",
            "INTEGER.isin({ints})",
        ),
        *(
            "NUMBER.isin({floats})",
            "NUMBER.between({low}, {high})",
            "TEXT.str.contains({letter}, regex=False)",
            "TEXT.str.isdigit()",
        ),
        *(
            "TEXT.str.startswith({letter})",
            "TRUTH.where(TRUTH, False)",
            "INTEGER.astype(bool)",
            "np.isnan(NUMBER)",
            "TRUTH == TRUTH",
        ),
        *(
            'X[["b", "c"]].any(axis=1)',
            "TEXT.map(lambda v: v == {word})",
            "NUMBER.map(lambda v: v > 0)",
            "np.logical_and(TRUTH, TRUTH)",
        ),
    ),
    "text": (
        "X.assign(z=TEXT, y=INTEGER)[['z', 'y']].apply(lambda r: f'{{r[\"z\"]}}-{{r[\"y\"]}}', axis=1)",
        *("TEXT.fillna('').map(lambda v: v.split({separator})[0])", "TEXT.astype('category').astype(str)"),
        *("INTEGER.map(lambda v: str(v))", "TEXT.str.replace({group}, '', regex=True)"),
        "pd.cut(NUMBER, [-5, 0, 5], labels=['a', 'b']).astype(str)",
        *(
            "TEXT.str.lower()",
            "TEXT.str.upper()",
            "TEXT.str.strip()",
            "TEXT.str[:{count}]",
            "TEXT.str[{index}]",
            "TEXT.str.title()",
        ),
        *(
            "TEXT + TEXT",
            "TEXT + {word}",
            "{word} + TEXT",
            "TEXT.fillna({word})",
            "TEXT.fillna(TEXT)",
            "TEXT.where(TRUTH, TEXT)",
        ),
        *(
            "TEXT.where(TRUTH, {word})",
            "TEXT.mask(TRUTH)",
            "TEXT.replace({word}, {word2})",
            "TEXT.str.replace({letter}, {word})",
        ),
        *(
            "TEXT.str.split({separator}).str[0]",
            "TEXT.map({wordtoword})",
            "INTEGER.map({inttoword})",
            "INTEGER.astype(str)",
        ),
        *(
            "TEXT.str.extract({group}, expand=False)",
            "TEXT.str.zfill({count})",
            "TEXT.combine_first(TEXT)",
            "NUMBER.astype(str)",
        ),
        *(
            "pd.Series(np.where(TRUTH, {word}, {word2}), index=X.index)",
            "DATE.dt.strftime('%Y-%m')",
            "TRUTH.astype(str)",
        ),
        *(
            "INTEGER.map(lambda v: {word} if v > {int} else {word2})",
            'X["u"].map(lambda v: v.strip().lower())',
            "DATE.dt.day_name()",
        ),
        *(
            "TEXT.str.cat(TEXT, sep='_')",
            "TEXT.str.cat(TEXT, na_rep={word})",
            "TRUTH.map({{True: {word}, False: {word2}}})",
        ),
    ),
    "date": (
        *("DATE + (DATE - DATE) / 2", "DATE.map(lambda v: v.normalize())", "DATE.dt.round('h')"),
        *(
            "DATE.dt.floor('D')",
            "DATE.dt.normalize()",
            "DATE + pd.Timedelta(days={count})",
            "DATE - pd.Timedelta(hours={int})",
        ),
        *("DATE.fillna(pd.Timestamp({date}))", "DATE.fillna(DATE)", "DATE.where(TRUTH)", "DATE.where(TRUTH, DATE)"),
        *(
            "DATE + (DATE - DATE)",
            "pd.to_datetime(INTEGER, unit='D')",
            "DATE.combine_first(DATE)",
            "DATE.mask(TRUTH, DATE)",
        ),
        *(
            "DATE + pd.to_timedelta(INTEGER, unit='h')",
            "pd.to_datetime(DATE.dt.strftime('%Y-%m-%d'), format='%Y-%m-%d')",
        ),
    ),
}
_LEAVES = {
    "number": ('X["f"]', 'X["g"]', 'X["p"]'),
    "integer": ('X["i"]', 'X["j"]', 'X["k"]'),
    "truth": ('X["b"]', 'X["c"]', 'X["f"] > {float}'),
    "text": ('X["s"]', 'X["t"]', 'X["u"]', 'X["v"]'),
    "date": ('X["d"]', 'X["e"]', 'X["h"]'),
}
KINDS = tuple(_PARTS)


def expression(draw: Drawn, kind: str, depth: int) -> str:
    """Code of a random expression that gives a column of a kind; its arguments are drawn."""
    template = draw.one(_LEAVES[kind] if depth == 0 else _PARTS[kind])
    drawn = template.format_map(Drawn(draw.random))
    for name in KINDS:
        parts = drawn.split(name.upper())
        drawn = parts[0]
        for part in parts[1:]:
            inner = expression(draw, name, max(depth - 1 - draw.whole(0, 2), 0))
            drawn += (inner if inner.startswith("X[") and " " not in inner else f"({inner})") + part
    return drawn


class Code(str):
    """Drawn code, which a call takes as it is."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


def _register(kind: str) -> None:
    DRAWS[f"{kind}_program"] = lambda draw: Code(expression(draw, kind, draw.whole(1, 6)))


for _kind in KINDS:
    _register(_kind)

PROGRAMS: dict[str, Calls] = {
    f"programs of {kind}": calls(f"{{{kind}_program}}", may_refuse=True, may_raise=True, zeros=True) for kind in KINDS
}
"""Random programs by the kind of their result; each draw is another one."""
