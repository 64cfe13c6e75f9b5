"""Small C functions that generated code calls; only those that it does call are written."""

_TEXTS = {
    "half": """\
/* A float16 by its bits (IEEE 754 binary16). */
static float half(uint16_t bits)
{
    const int exponent = (bits >> 10) & 31;
    const float digits = (float)(bits & 1023);
    float value = exponent ? ldexpf(1024.0f + digits, exponent - 25) : ldexpf(digits, -24);
    if (exponent == 31)
        value = digits > 0.0f ? NAN : INFINITY;
    return bits & 0x8000 ? -value : value;
}
""",
    "larger": """\
static float larger(float a, float b)
{
    return a > b || a != a ? a : b;
}
""",
    "smaller": """\
static float smaller(float a, float b)
{
    return a < b || a != a ? a : b;
}
""",
    "sigmoid": """\
static float sigmoid(float x)
{
    return 1.0f / (1.0f + expf(-x));
}
""",
    "to_whole": """\
static int32_t to_whole(float x)
{
    if (x != x)
        return 0;
    if (x >= 2147483520.0f)
        return INT32_MAX;
    return x <= -2147483648.0f ? INT32_MIN : (int32_t)x;
}
""",
    "to_steps": """\
/* The nearest step, halves to the even one. */
static int to_steps(float x, float scale, int zero, int low, int high)
{
    const float step = rintf(x / scale) + (float)zero;
    if (!(step > (float)low))
        return low;
    return step < (float)high ? (int)step : high;
}
""",
    "softmax": """\
static void softmax(const float *x, size_t count, float *shares)
{
    float most = x[0];
    float sum = 0.0f;
    for (size_t i = 1; i < count; i++)
        if (x[i] > most)
            most = x[i];
    for (size_t i = 0; i < count; i++) {
        shares[i] = expf(x[i] - most);
        sum += shares[i];
    }
    for (size_t i = 0; i < count; i++)
        shares[i] = shares[i] / sum;
}
""",
}

_PRODUCTS = """\
static void add_products_{name}(
    const float *restrict x, size_t rows, size_t columns, const {kind} *restrict weights,
    float *restrict sums)
{{
    for (size_t i = 0; i < rows; i++) {{
        const float factor = x[i];
        const {kind} *row = weights + i * columns;
        if (factor == 0.0f)
            continue;
        for (size_t j = 0; j < columns; j++)
            sums[j] += factor * {read};
    }}
}}
"""

_STEPS = """\
static void add_steps_{name}(
    const {kind} *restrict x, int zero, size_t rows, size_t columns,
    const int8_t *restrict weights, int32_t *restrict sums)
{{
    for (size_t i = 0; i < rows; i++) {{
        const int32_t factor = x[i] - zero;
        const int8_t *row = weights + i * columns;
        if (!factor)
            continue;
        for (size_t j = 0; j < columns; j++)
            sums[j] += factor * row[j];
    }}
}}
"""

_WEIGHT = "row[j]"
"""Half of what ReLU lets through is 0: those rows of weights are passed over."""

_TEXTS |= {
    "add_products_f32": _PRODUCTS.format(name="f32", kind="float", read=_WEIGHT),
    "add_products_f16": _PRODUCTS.format(name="f16", kind="uint16_t", read=f"half({_WEIGHT})"),
    "add_products_i8": _PRODUCTS.format(name="i8", kind="int8_t", read=f"(float){_WEIGHT}"),
    "add_steps_u8": _STEPS.format(name="u8", kind="uint8_t"),
    "add_steps_i8": _STEPS.format(name="i8", kind="int8_t"),
}


def routines(names: set[str]) -> str:
    """The functions of these names as C, in an order in which each is known when it is called."""
    wanted = set(names)
    if "add_products_f16" in wanted:
        wanted.add("half")
    return "\n".join(text for name, text in _TEXTS.items() if name in wanted)
