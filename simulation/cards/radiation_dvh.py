"""Model cards of the dose-volume evaluation: metrics, constraints, control, window, effectiveness."""

from simulation.cards import _rows
from simulation.cards._tables import FIRST_VERSION, UNCHECKED
from simulation.model import Coefficient, Input, ModelCard, Reference
from simulation.radiation import constraints, rbe
from simulation.radiation.rbe import RbeModel

_DVH = Input(name="structures.dvh", unit="Gy", why="Cumulative or differential dose-volume histogram.")
_COUNT = Input(name="fraction_count", unit="1", low=1.0, high=200.0)
_RESEARCH = "Evaluate dose distributions in research; not a recommendation."
_EXAMPLE = {"fraction_count": 30}
_QUANTEC_DEFINITIONS = Reference(
    citation="International Commission on Radiation Units and Measurements. ICRU Report 83: prescribing, recording, "
    "and reporting photon-beam intensity-modulated radiation therapy. J ICRU 2010;10(1).",
    doi="10.1093/jicru/ndq002",
    verified=False,
)
_NIEMIERKO = Reference(
    citation="Niemierko A. A generalized concept of equivalent uniform dose (EUD). Med Phys 1999;26:1100.",
    verified=False,
)
_WEBB_NAHUM = Reference(
    citation="Webb S, Nahum AE. A model for calculating tumour control probability in radiotherapy including the "
    "effects of inhomogeneous distributions of dose and clonogenic cell density. Phys Med Biol 1993;38:653-666.",
    doi="10.1088/0031-9155/38/6/001",
    verified=False,
)
_ZAIDER = Reference(
    citation="Zaider M, Minerbo GN. Tumour control probability: a formulation applicable to any temporal protocol of "
    "dose delivery. Phys Med Biol 2000;45:279-293.",
    doi="10.1088/0031-9155/45/2/303",
    verified=False,
)
_BRAHME = Reference(
    citation="Kallman P, Agren A, Brahme A. Tumour and normal tissue responses to fractionated non-uniform dose "
    "delivery. Int J Radiat Biol 1992;62:249-262.",
    doi="10.1080/09553009214552071",
    verified=False,
)


def _effectiveness(model: RbeModel) -> ModelCard:
    return ModelCard(
        id=f"rbe-{model.id.replace('_', '-')}",
        version="1.0.0",
        title=f"Relative biological effectiveness, {model.id.replace('_', ' ')}",
        kind="dose",
        outcome="photon-equivalent dose of an ion dose",
        purpose=_RESEARCH,
        population="Cell survival in vitro.",
        inputs=(
            _DVH,
            _COUNT,
            Input(
                name="structures.rbe.let_kev_per_um",
                unit="keV/um",
                low=0.0,
                high=model.let_limit_kev_per_um,
                derivation_high=model.let_max_kev_per_um,
            ),
        ),
        equations=(
            "RBE = [-ab + sqrt(ab^2 + 4 ab RBE_max d + 4 RBE_min^2 d^2)] / (2 d), RBE_max and RBE_min from LET and ab",
        ),
        references=(model.reference,),
        leaves_out=("the spread of LET inside the structure", "clinical endpoints"),
        example={**_EXAMPLE, "structures.rbe.let_kev_per_um": 2.5},
        validated_on_patients=False,
        known_failures=(
            f"Fitted to cell lines up to about {model.let_max_kev_per_um:g} keV/um; clinical endpoints scatter more.",
        ),
        history=FIRST_VERSION,
        coefficients=tuple(
            Coefficient(
                name=name,
                value=value,
                unit="1",
                evidence=model.reference.evidence,
                source=model.reference.citation,
                verified=model.reference.verified,
            )
            for name, value in model.coefficients.items()
        ),
    )


CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        id="dvh-metrics",
        version="1.1.0",
        title="Dose-volume metrics, generalized EUD, EQD2 and BED curves",
        kind="dose",
        outcome="metrics of a dose distribution",
        purpose=_RESEARCH,
        population="Any structure with a dose-volume histogram.",
        inputs=(_DVH, _COUNT),
        equations=(
            "D_x: largest dose that the hottest x receives; V_d: volume that receives at least d",
            "gEUD = (sum v_i D_i^a)^(1/a), the geometric mean for a = 0; with a <= 0, D_i at least 0.001 Gy",
            "EQD2_i = D_i (D_i / n + ab) / (2 + ab), bin by bin",
        ),
        references=(_QUANTEC_DEFINITIONS, _NIEMIERKO),
        leaves_out=("where in the organ the dose lies", "dose between the bins of the curve"),
        example=_EXAMPLE,
        coefficients_note="Definitions of metrics: no number was fitted.",
        validated_on_patients=False,
        known_failures=("Adding the histograms of two plans assumes that their hot spots coincide; it is a bound.",),
        history=(*FIRST_VERSION, "1.1.0: says where doses below 0.001 Gy count as 0.001 Gy."),
    ),
    ModelCard(
        id="dose-constraints",
        version="1.1.0",
        title="Dose constraints of QUANTEC, AAPM Task Group 101 and HyTEC",
        kind="toxicity",
        outcome="whether a limit is kept, and by what margin",
        purpose="Check plans against published limits; the limits are not guarantees.",
        population="QUANTEC: conventional fractions; Task Group 101 and HyTEC: the stated number of fractions.",
        inputs=(_DVH, _COUNT),
        equations=("margin = limit - metric; for a volume to be spared, volume below the dose - limit",),
        references=tuple(dict.fromkeys(one.reference for one in constraints.CONSTRAINTS if one.reference is not None)),
        leaves_out=("patient factors", "combined treatment"),
        example=_EXAMPLE,
        coefficients=_rows.limits(),
        calibration_note="It answers whether a limit is kept, not a probability.",
        validated_on_patients=False,
        known_failures=(
            "Most limits were read in secondary lists, not in the reports; each row says so.",
            "A limit stated for both of a pair together is not checked on one side alone.",
        ),
        history=(
            *FIRST_VERSION,
            "1.1.0: limits that hold for each of a pair are checked on one side alone, and the limit for one spared "
            "parotid gland was added.",
        ),
    ),
    ModelCard(
        id="tcp-poisson-clonogens",
        version="1.0.0",
        title="Poisson tumor control with linear-quadratic cell survival",
        kind="dose",
        outcome="tumor control probability",
        purpose=_RESEARCH,
        population="Solid tumors with the given radiosensitivity.",
        inputs=(_DVH, _COUNT),
        equations=("TCP = mean over alpha of exp(-sum N v_i exp(-alpha BED_i)), alpha normal, truncated at zero",),
        references=(_WEBB_NAHUM,),
        leaves_out=("reoxygenation", "differences in clonogen density inside the target", "the immune response"),
        example=_EXAMPLE,
        coefficients=_rows.control_presets(),
        validated_on_patients=False,
        known_failures=(
            "Clonogen density and radiosensitivity are hardly ever known for one tumor.",
            UNCHECKED,
        ),
        history=FIRST_VERSION,
        increases_with=("structures.dvh",),
    ),
    ModelCard(
        id="tcp-zaider-minerbo",
        version="1.0.0",
        title="Birth-death tumor control (Zaider and Minerbo)",
        kind="dose",
        outcome="tumor control probability",
        purpose=_RESEARCH,
        population="Clonogens that divide and die at constant rates.",
        inputs=(_DVH, _COUNT, Input(name="tumor_control.fraction_days", unit="d", low=0.0, high=1000.0)),
        equations=("TCP = prod [1 - L / (1 + b L int dt' / (S exp((b - d) t')))]^N_i, L = S(t) exp((b - d) t)",),
        references=(_ZAIDER,),
        leaves_out=("differences between patients", "changes of the rates during treatment"),
        example=_EXAMPLE,
        coefficients_note="None: every number is given in the request.",
        validated_on_patients=False,
        known_failures=(UNCHECKED,),
        history=FIRST_VERSION,
        increases_with=("structures.dvh",),
    ),
    ModelCard(
        id="tcp-dose-response",
        version="1.1.0",
        title="Tumor control from a dose-response curve",
        kind="dose",
        outcome="tumor control probability",
        purpose=_RESEARCH,
        population="The one that the given parameters were fitted to.",
        inputs=(_DVH, _COUNT),
        equations=(
            "log-logistic or probit of the gEUD of EQD2; with an exponent a <= 0, EQD2_i at least 0.001 Gy",
            "Poisson: TCP = prod P(EQD2_i)^v_i in the form that the parameters belong to",
        ),
        references=(_BRAHME, _NIEMIERKO),
        leaves_out=("cell survival and time",),
        example=_EXAMPLE,
        coefficients_note="None: every number is given in the request.",
        validated_on_patients=False,
        known_failures=(
            "Two Poisson forms carry the same name; parameters of one must not meet the other.",
            UNCHECKED,
        ),
        history=(*FIRST_VERSION, "1.1.0: says where doses below 0.001 Gy count as 0.001 Gy."),
        increases_with=("structures.dvh",),
    ),
    ModelCard(
        id="therapeutic-window",
        version="1.0.0",
        title="Therapeutic window over a scaled prescription",
        kind="dose",
        outcome="tumor control, complications and complication-free control",
        purpose=_RESEARCH,
        population="The one of the models that it combines.",
        inputs=(_DVH, _COUNT),
        equations=("P+ = TCP prod (1 - NTCP_j)",),
        references=(_BRAHME,),
        leaves_out=("correlation between control and complications", "how severe a complication is"),
        example=_EXAMPLE,
        coefficients_note="None of its own: it combines the control and complication models that are asked for.",
        calibration_note="See the control and complication models that it combines.",
        performance_note="See the control and complication models that it combines.",
        validated_on_patients=False,
        known_failures=("It inherits every error of the models that it combines.",),
        history=FIRST_VERSION,
    ),
    ModelCard(
        id="rbe-fixed",
        version="1.0.0",
        title="Fixed proton effectiveness of 1.1",
        kind="dose",
        outcome="photon-equivalent dose of a proton dose",
        purpose=_RESEARCH,
        population="Proton beams, clinical convention.",
        inputs=(_DVH,),
        equations=("D_RBE = 1.1 D",),
        references=(rbe.FIXED_PROTON_REFERENCE,),
        leaves_out=("LET, dose per fraction and tissue",),
        example=_EXAMPLE,
        coefficients=(
            _rows.cited("relative biological effectiveness", rbe.FIXED_PROTON_RBE, "1", rbe.FIXED_PROTON_REFERENCE),
        ),
        validated_on_patients=False,
        known_failures=("Effectiveness rises at the end of the range, where 1.1 is too low.",),
        history=FIRST_VERSION,
    ),
    *(_effectiveness(model) for model in rbe.MODELS.values()),
)
