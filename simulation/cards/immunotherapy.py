"""Model cards of antibody pharmacokinetics, CAR-T kinetics and vaccines."""

from simulation.cards import _rows
from simulation.cards._tables import FIRST_VERSION, UNCHECKED
from simulation.immunotherapy import cart, vaccines
from simulation.immunotherapy.antibodies import MODELS, USUAL_RANGE, AntibodyModel
from simulation.immunotherapy.targets import LABEL_LEVEL, LabelLevel
from simulation.model import Coefficient, Input, KnownValue, ModelCard, Reference

_PURPOSE = "Compare the exposure of schedules in research; not a dosing recommendation."
_UNITS = {
    "weight_kg": "kg",
    "albumin_g_per_l": "g/L",
    "egfr_ml_per_min": "mL/min/1.73m2",
    "creatinine_clearance_ml_per_min": "mL/min",
    "alt_u_per_l": "U/L",
    "ldh_u_per_l": "U/L",
    "igg_g_per_l": "g/L",
    "bmi_kg_per_m2": "kg/m2",
    "tumor_size_mm": "mm",
    "soluble_pd_l1_pg_per_ml": "pg/mL",
    "age_years": "a",
}
_PARAMETER_UNITS = {"cl": "L/d", "vc": "L", "q": "L/d", "vp": "L", "t50": "d", "vmax": "mg/d", "km": "mg/L"}
_NO_CURVES = "Not compared with measured concentrations of patients: none were at hand."
_REPORTED = "The answers are reported incidences: nothing is predicted that outcomes could be held against."
_LEAVES_OUT = (
    "covariates that change during treatment",
    "anti-drug antibodies, where the model has no term for them",
    "binding to the target in tissue",
)
_CLEARANCE = {
    "constant": "CL(t) = CL0",
    "exp": "CL(t) = CL0 exp(Emax t^h / (T50^h + t^h)), t since the first dose of the agent",
    "lin": "CL(t) = CL0 (1 + Emax t^h / (T50^h + t^h)), t since the first dose of the agent",
}
_ANTIBODY_HISTORY = (
    *FIRST_VERSION,
    "1.1.0: the maximum after a bolus and the time above a target no longer depend on the step of the output, and "
    "a cycle ends with the next planned dose even beyond the horizon.",
)
_HALF_LIFE_DAYS = {
    "pk-pembrolizumab-ahamadi2017": 25.791,
    "pk-atezolizumab-stroh2017": 26.5861,
    "pk-ipilimumab-feng2014": 14.9997,
    "pk-ipilimumab-sanghavi2020": 16.2581,
    "pk-avelumab-masters2022": 4.34459,
}


def _why(covariate: str) -> str:
    stays = "Stays at the model's reference when left out."
    if covariate not in USUAL_RANGE:
        return stays
    low, high = USUAL_RANGE[covariate]
    return f"{stays} Outside {low:g} to {high:g} (assumed: usual in trials of adults) the answer carries a warning."


def _inputs(model: AntibodyModel) -> tuple[Input, ...]:
    doses = (
        Input(name="doses.time_days", unit="d", low=-3650.0, high=3650.0),
        Input(name="doses.amount_mg", unit="mg", low=0.0, high=10000.0),
        Input(name="doses.infusion_minutes", unit="min", low=0.0, high=1440.0),
    )
    return doses + tuple(
        Input(
            name=name,
            unit=_UNITS.get(name, "1 if true"),
            required=False,
            why=_why(name),
        )
        for name in model.covariates
    )


def _coefficients(model: AntibodyModel) -> tuple[Coefficient, ...]:
    def row(name: str, value: float, unit: str) -> Coefficient:
        return Coefficient(
            name=name, value=value, unit=unit, evidence="published", source=model.citation, verified=model.verified
        )

    shown = [
        name
        for name in model.typical
        if name not in ("emax", "t50") or model.form != "constant"
    ]  # fmt: skip
    rows = [row(name, model.typical[name], _PARAMETER_UNITS.get(name, "1")) for name in shown]
    if model.form != "constant":
        rows.append(row("hill", model.hill, "1"))
    rows += [
        row(f"{effect.kind} of {effect.covariate} on {', '.join(effect.parameters)}", effect.value, "1")
        for effect in model.effects
    ]
    rows += [row(f"variance of {effect.name} ({effect.form})", effect.variance, "1") for effect in model.random_effects]
    return tuple(rows)


def _antibody(model: AntibodyModel) -> ModelCard:
    elimination = "CL(t) c" if "vmax" not in model.typical else "CL c + Vmax c / (Km + c)"
    half_life = _HALF_LIFE_DAYS.get(model.id)
    return ModelCard(
        id=model.id,
        version="1.1.0",
        title=f"{model.agent.capitalize()} population pharmacokinetics, {model.citation.split(' et al')[0]}",
        kind="dose",
        outcome="serum concentration and exposure metrics",
        purpose=_PURPOSE,
        population=model.population + (f" (n = {model.patients})" if model.patients else ""),
        inputs=_inputs(model),
        equations=(
            f"a1' = R(t) - {elimination} - Q (c - a2 / Vp), c = a1 / Vc",
            "a2' = Q (c - a2 / Vp)",
            _CLEARANCE[model.form],
        ),
        references=(Reference(citation=model.citation, doi=model.doi, verified=model.verified),),
        leaves_out=_LEAVES_OUT,
        example={"doses.time_days": 0.0, "doses.amount_mg": 240.0, "doses.infusion_minutes": 30.0},
        validated_on_patients=False,
        coefficients=_coefficients(model),
        performance_note=_NO_CURVES,
        known_values=()
        if half_life is None
        else (
            KnownValue(
                inputs={},
                expected={"terminal_half_life_days": half_life},
                absolute_tolerance=0.001 * half_life,
                source="independent closed form",
            ),
        ),
        known_failures=(*model.notes, _NO_CURVES),
        increases_with=("doses.amount_mg",),
        history=_ANTIBODY_HISTORY,
    )


def _label(level: LabelLevel) -> ModelCard:
    return ModelCard(
        id=level.id,
        version="1.0.0",
        title=f"{level.agent.capitalize()}: label-level figures",
        kind="dose",
        outcome="average concentration at steady state",
        purpose=_PURPOSE,
        population="As in the label; no population model was found.",
        inputs=(
            Input(name="doses.amount_mg", unit="mg", low=0.0, high=10000.0),
            Input(name="doses.interval_days", unit="d", low=1.0, high=365.0),
        ),
        equations=("C_avg = dose / (CL tau), CL = CL_linear / (1 - saturable share)",),
        references=(Reference(citation=level.source, verified=level.verified),),
        leaves_out=("concentration over time", "differences between patients", "nonlinearity at other doses"),
        example={"doses.amount_mg": 160.0, "doses.interval_days": 28.0},
        coefficients=_rows.label(level),
        performance_note=_NO_CURVES,
        validated_on_patients=False,
        known_values=(
            KnownValue(
                inputs={"doses.amount_mg": 160.0, "doses.interval_days": 28.0},
                expected={"average_mg_per_l": 29.8701},
                absolute_tolerance=0.03,
                source="independent arithmetic",
            ),
        ),
        known_failures=level.notes,
        history=FIRST_VERSION,
    )


_STEIN = ModelCard(
    id="cart-tisagenlecleucel-stein2019",
    version="1.1.0",
    title="Tisagenlecleucel cellular kinetics, Stein 2019",
    kind="dose",
    outcome="transgene copies over time: expansion, maximum, contraction, persistence",
    purpose="Describe expansion and persistence in research; not a basis for product release or dosing.",
    population="Children and young adults with relapsed or refractory B-ALL (ELIANA and ENSIGN, n = 90)",
    inputs=(
        Input(name="tocilizumab_day", unit="d", low=0.0, high=60.0, required=False),
        Input(name="corticosteroid_day", unit="d", low=0.0, high=60.0, required=False),
    ),
    equations=(
        "t < Tmax: N = (Cmax / F) exp(rho t), rho = ln F / Tmax",
        "t >= Tmax: N = Cmax ((1 - f) exp(-alpha (t - Tmax)) + f exp(-beta (t - Tmax)))",
        "tocilizumab or corticosteroids multiply rho from their day to Tmax",
    ),
    references=(Reference(citation=cart.MODEL["citation"], doi=cart.MODEL["doi"], verified=cart.MODEL["verified"]),),
    leaves_out=(
        "the infused dose: expansion does not depend on it",
        "tumor burden and lymphodepletion",
        "loss of the target antigen",
    ),
    example={},
    validated_on_patients=False,
    coefficients=tuple(
        Coefficient(
            name=name,
            value=cart.MODEL[name],
            unit=unit,
            evidence="published",
            source=cart.MODEL["citation"],
            verified=cart.MODEL["verified"],
        )
        for name, unit in (
            ("cmax_copies_per_ug", "copies/ug"),
            ("tmax_days", "d"),
            ("fold_expansion", "1"),
            ("alpha_per_day", "1/d"),
            ("slow_fraction", "1"),
            ("beta_per_day", "1/d"),
            ("tocilizumab_factor", "1"),
            ("corticosteroid_factor", "1"),
        )
    ),
    known_values=(
        KnownValue(
            inputs={},
            expected={"area_0_28": 171774.0, "doubling_days": 0.779596},
            absolute_tolerance=172.0,
            source="independent closed form",
        ),
        KnownValue(
            inputs={"tocilizumab_day": 7.0},
            expected={"area_0_28": 252385.0},
            absolute_tolerance=252.0,
            source="numerical integration of the equations",
        ),
    ),
    known_failures=(
        "Whether the printed random effects are variances or standard deviations is unresolved; every answer says "
        "which reading it used.",
        "The authors found no effect of tocilizumab or corticosteroids on expansion; the factors are point estimates.",
        UNCHECKED,
    ),
    history=(
        *FIRST_VERSION,
        "1.1.0: tocilizumab and corticosteroids no longer change level and area before the day they are given.",
    ),
)

_PRODUCTS = ModelCard(
    id="cart-product-summaries",
    version="1.0.0",
    title="CAR-T products: printed kinetics, CRS and ICANS incidence",
    kind="toxicity",
    outcome="incidence of cytokine release syndrome and neurologic toxicity, with the grading scale",
    purpose="Look up what was reported for a product; not a prediction for one patient.",
    population="Pivotal trials and registries of each product",
    inputs=(Input(name="product", unit="", choices=tuple(sorted(cart.PRODUCTS))),),
    equations=("table look-up; Wilson interval where the counts are known",),
    references=(Reference(citation="Sources are named in each row of the answer.", verified=False),),
    leaves_out=("tumor burden", "age", "bridging therapy", "prophylaxis"),
    example={"product": "axicabtagene-ciloleucel"},
    coefficients=_rows.cell_products(),
    calibration_note=_REPORTED,
    performance_note=_REPORTED,
    validated_on_patients=False,
    known_failures=("Grading scales differ between sources (Lee, Penn, ASTCT, CTCAE): do not pool the numbers.",),
    history=FIRST_VERSION,
)

_KRONIK = ModelCard(
    id="vaccine-kronik2010",
    version="1.0.0",
    title="Whole-cell prostate cancer vaccine dynamics, Kronik 2010",
    kind="simulator",
    outcome="dendritic cells, cytotoxic and regulatory T cells, tumor cells over time",
    purpose="Explore vaccine schedules in a published research model; not a forecast for a patient.",
    population="Prostate cancer, one published parameter set; growth and killing were fitted per patient in the paper",
    inputs=(
        Input(name="days", unit="d", low=0.0, high=3650.0),
        Input(name="dose_cells", unit="cells", low=0.0, high=1e12),
        Input(name="tumor_growth_per_hour", unit="1/h", low=0.0, high=0.1, required=False),
        Input(name="killing_per_cell_hour", unit="1/(cell h)", low=0.0, high=1.0, required=False),
    ),
    equations=(
        "V' = -ki nv V; Dm' = ki V - km Dm; Dc' = a km Dm - kcr Dc; Dr' = kcr Dc - mu_d Dr",
        "C' = ac Dc - mu_c C - kr C R; R' = ar Dr - mu_r R; P' = r P - ap C P hp / (hp + P)",
    ),
    references=(
        Reference(citation=vaccines.MODEL["citation"], doi=vaccines.MODEL["doi"], verified=vaccines.MODEL["verified"]),
    ),
    leaves_out=("the effect on PSA", "antigen loss", "concurrent treatment"),
    example={"days": 0.0, "dose_cells": 1e6},
    coefficients=_rows.whole_cell_vaccine(),
    validated_on_patients=False,
    known_values=(
        KnownValue(
            inputs={"dose_cells": 1e6},
            expected={"cytotoxic_t_cells_day_7": 16107.1},
            absolute_tolerance=0.1,
            source="libroadrunner on BioModels MODEL2001130003",
        ),
    ),
    known_failures=("The time unit, hours, is inferred: the published file declares none.", UNCHECKED),
    history=FIRST_VERSION,
)

_HAZARD = ModelCard(
    id="vaccine-hazard-ratio",
    version="1.0.0",
    title="mRNA-4157 as a hazard ratio on the comparator's curve",
    kind="forecast",
    outcome="recurrence-free survival of a group",
    purpose="Carry a randomized comparison to another comparator curve; not a mechanism and not one patient's chance.",
    population="Resected melanoma, KEYNOTE-942 (107 against 50 patients, open label)",
    inputs=(Input(name="comparator_survival", unit="1", low=0.0, high=1.0),),
    equations=("S(t) = S_comparator(t) ** HR",),
    references=(
        Reference(
            citation="Weber JS et al. Lancet 2024;403:632-644 (KEYNOTE-942); figures as reported on its publication",
            doi="10.1016/S0140-6736(23)02268-7",
            verified=False,
        ),
    ),
    leaves_out=("non-proportional hazards", "stage", "neoantigen load"),
    example={"comparator_survival": 0.62},
    coefficients=_rows.vaccine_hazard_ratios(),
    validated_on_patients=False,
    known_values=(
        KnownValue(
            inputs={"comparator_survival": 0.62},
            expected={"survival": 0.7648},
            absolute_tolerance=0.001,
            source="arithmetic; the trial printed 0.79 at 18 months",
        ),
    ),
    known_failures=("The interval of the hazard ratio, 0.309 to 1.017, contains 1.", UNCHECKED),
    history=FIRST_VERSION,
)

CARDS: tuple[ModelCard, ...] = (
    *map(_antibody, MODELS.values()),
    *map(_label, LABEL_LEVEL.values()),
    _STEIN,
    _PRODUCTS,
    _KRONIK,
    _HAZARD,
)
