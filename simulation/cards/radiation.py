"""Model cards of the fractionation models."""

from simulation.cards import _rows
from simulation.cards._tables import FIRST_VERSION
from simulation.model import Coefficient, Input, KnownValue, ModelCard, Reference
from simulation.radiation.tissue import MODIFIED_LQ_SHIFT_PER_GY, TRANSITION_RATIO

_LEAVES_OUT = (
    "reoxygenation and redistribution",
    "volume effects and dose gradients inside the tissue",
    "differences between patients in radiosensitivity",
)
_FOWLER = Reference(
    citation="Fowler JF. The linear-quadratic formula and progress in fractionated radiotherapy. "
    "Br J Radiol 1989;62:679-694.",
    doi="10.1259/0007-1285-62-740-679",
)
_GUERRERO = Reference(
    citation="Guerrero M, Li XA. Extending the linear-quadratic model for large fraction doses pertinent "
    "to stereotactic radiotherapy. Phys Med Biol 2004;49:4825-4835.",
    doi="10.1088/0031-9155/49/20/012",
    verified=False,
)
_DOSE = Input(name="phases.dose_per_fraction_gy", unit="Gy", low=0.0, high=40.0, derivation_high=10.0)
_COUNT = Input(name="phases.fraction_count", unit="1", low=1.0, high=200.0)
_RATIO = Input(name="tissues.alpha_beta_gy", unit="Gy", low=0.05, high=100.0)
_RESEARCH = "Compare schedules in research; not a prescription."

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        id="lq-fractionation",
        version="1.0.0",
        title="Linear-quadratic effect of a fractionated course",
        kind="dose",
        outcome="biologically effective dose, EQD2 and surviving fraction",
        purpose=_RESEARCH,
        population="Human tumors and normal tissues treated with about 1 to 10 Gy a fraction.",
        inputs=(_DOSE, _COUNT, _RATIO),
        equations=(
            "BED = sum d (1 + d / (alpha/beta)) + sum over same-day pairs - K max(0, T - T_k)",
            "same-day pairs: 2 d_i d_j exp(-ln 2 |t_i - t_j| / T_half) / (alpha/beta)",
            "EQD2 = BED / (1 + 2 / (alpha/beta))",
            "ln S = -alpha BED, radiation alone",
        ),
        references=(
            _FOWLER,
            Reference(
                citation="Thames HD. An incomplete-repair model for survival after fractionated and continuous "
                "irradiations. Int J Radiat Biol 1985;47:319-339.",
                doi="10.1080/09553008514550461",
            ),
        ),
        leaves_out=(*_LEAVES_OUT, "repair that is still incomplete the next morning"),
        example={"phases.dose_per_fraction_gy": 2.0, "phases.fraction_count": 30, "tissues.alpha_beta_gy": 10.0},
        coefficients=_rows.tissues(),
        validated_on_patients=False,
        known_failures=(
            "Above about 10 Gy a fraction it tends to overestimate cell kill; the answer shows LQ-L beside it.",
            "Tumors without an established repopulation rate get none.",
        ),
        history=FIRST_VERSION,
        known_values=(
            KnownValue(
                inputs={"dose_per_fraction_gy": 18.0, "fraction_count": 3, "alpha_beta_gy": 10.0},
                expected={"bed_gy": 151.2, "eqd2_gy": 126.0},
                absolute_tolerance=1e-9,
                source="pyradiobiology 1.0.33",
            ),
        ),
        increases_with=("phases.dose_per_fraction_gy", "phases.fraction_count"),
        decreases_with=("tissues.alpha_beta_gy",),
    ),
    ModelCard(
        id="lq-linear",
        version="1.0.0",
        title="Linear-quadratic-linear survival (LQ-L)",
        kind="dose",
        outcome="biologically effective dose and EQD2 of large fractions",
        purpose=_RESEARCH,
        population="Large fractions, above the transition dose.",
        inputs=(_DOSE, _COUNT, _RATIO),
        equations=("d > D_T: BED = D_T (1 + D_T / (alpha/beta)) + (1 + 2 D_T / (alpha/beta)) (d - D_T)",),
        references=(
            Reference(
                citation="Astrahan M. Some implications of linear-quadratic-linear radiation dose-response with "
                "regard to hypofractionation. Med Phys 2008;35:4161-4172.",
                doi="10.1118/1.2969065",
                verified=False,
            ),
        ),
        leaves_out=_LEAVES_OUT,
        example={"phases.dose_per_fraction_gy": 18.0, "phases.fraction_count": 3, "tissues.alpha_beta_gy": 3.0},
        coefficients=(
            Coefficient(
                name="transition dose over alpha/beta",
                value=TRANSITION_RATIO,
                unit="1",
                evidence="assumed",
                source="Customary value; a tissue may bring its own transition dose.",
            ),
        ),
        validated_on_patients=False,
        known_failures=("The transition dose of about 2 alpha/beta is customary; it is not fitted to the tissue.",),
        history=FIRST_VERSION,
        increases_with=("phases.dose_per_fraction_gy",),
    ),
    ModelCard(
        id="universal-survival-curve",
        version="1.0.0",
        title="Universal survival curve",
        kind="dose",
        outcome="biologically effective dose and EQD2 of large fractions",
        purpose=_RESEARCH,
        population="Non-small cell lung cancer, in vitro survival.",
        inputs=(_DOSE, _COUNT, _RATIO),
        equations=("d > D_T: BED = (d - D_q) / (alpha D_0)",),
        references=(
            Reference(
                citation="Park C, Papiez L, Zhang S, Story M, Timmerman RD. Universal survival curve and single "
                "fraction equivalent dose. Int J Radiat Oncol Biol Phys 2008;70:847-852.",
                doi="10.1016/j.ijrobp.2007.10.059",
                verified=False,
            ),
        ),
        leaves_out=(*_LEAVES_OUT, "continuity at the transition dose of 6.2 Gy: the curve has a small step there"),
        example={"phases.dose_per_fraction_gy": 18.0, "phases.fraction_count": 3, "tissues.alpha_beta_gy": 8.6},
        coefficients=_rows.universal_survival(),
        validated_on_patients=False,
        known_failures=("The curve steps at 6.2 Gy, since the printed parameters give a transition at 6.13 Gy.",),
        history=FIRST_VERSION,
        cancer_types=("nsclc",),
    ),
    ModelCard(
        id="modified-lq",
        version="1.0.0",
        title="Modified linear-quadratic model",
        kind="dose",
        outcome="biologically effective dose and EQD2 of large fractions",
        purpose=_RESEARCH,
        population="Cell lines; acute exposure.",
        inputs=(_DOSE, _COUNT, _RATIO),
        equations=("BED = d (1 + G(delta d) d / (alpha/beta)), G(x) = 2 (x + exp(-x) - 1) / x^2",),
        references=(_GUERRERO,),
        leaves_out=(*_LEAVES_OUT, "protraction within a fraction"),
        example={"phases.dose_per_fraction_gy": 18.0, "phases.fraction_count": 3, "tissues.alpha_beta_gy": 10.0},
        coefficients=(_rows.cited("shift", MODIFIED_LQ_SHIFT_PER_GY, "1/Gy", _GUERRERO),),
        validated_on_patients=False,
        known_failures=("The shift of 0.15 per Gy was not read in the publication.",),
        history=FIRST_VERSION,
    ),
    ModelCard(
        id="gap-compensation",
        version="1.1.0",
        title="Ways to finish an interrupted course",
        kind="dose",
        outcome="tumor and normal-tissue BED of every option, with the Pareto set",
        purpose="Show what each way to finish costs; the choice is clinical.",
        population="Courses of one fraction a day, interrupted once.",
        inputs=(
            _DOSE,
            _COUNT,
            Input(name="interruption.delivered_fraction_count", unit="1", low=1.0, high=200.0),
            Input(name="interruption.days_lost", unit="d", low=0.0, high=90.0),
        ),
        equations=("n' d' (1 + d' / (alpha/beta)) = planned BED - BED given + K max(0, T - T_k)",),
        references=(
            Reference(
                citation="The Royal College of Radiologists. The timely delivery of radical radiotherapy: guidelines "
                "for the management of unscheduled treatment interruptions, fourth edition. London: RCR, 2019.",
                url="https://www.rcr.ac.uk",
                verified=False,
            ),
        ),
        leaves_out=(*_LEAVES_OUT, "proliferation before the kick-off time", "more than one interruption"),
        example={
            "phases.dose_per_fraction_gy": 2.0,
            "phases.fraction_count": 35,
            "interruption.delivered_fraction_count": 20,
            "interruption.days_lost": 7.0,
        },
        coefficients_note="None of its own: it uses the tissues of lq-fractionation.",
        validated_on_patients=False,
        known_failures=(
            "Where no repopulation rate is established, as in melanoma, lost days count as free.",
            "Fraction sizes come from the linear-quadratic form, which may be wrong above 10 Gy per fraction.",
        ),
        history=(
            *FIRST_VERSION,
            "1.1.0: weekend fractions start on the day on which treatment can go on, not on the next treatment day; "
            "models for large fractions stand beside the options that need them.",
        ),
        known_values=(
            KnownValue(
                inputs={"fraction_count": 35, "dose_per_fraction_gy": 2.0, "delivered_fraction_count": 20},
                expected={"dose_per_fraction_gy": 2.293833011524188},
                absolute_tolerance=1e-6,
                source="Own arithmetic: 35 x 2 Gy in 46 d, 20 given, the last 15 end on day 53.",
            ),
        ),
    ),
)
