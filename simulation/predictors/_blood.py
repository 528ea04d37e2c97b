"""Names and remarks that the blood scores share."""

ALBUMIN = "patient.labs.albumin_g_per_l"
NEUTROPHILS = "patient.labs.neutrophils_1e9_per_l"
LYMPHOCYTES = "patient.labs.lymphocytes_1e9_per_l"
LEUKOCYTES = "patient.labs.leukocytes_1e9_per_l"
PLATELETS = "patient.labs.platelets_1e9_per_l"
LDH = "patient.labs.ldh_ratio_to_upper_limit"
CRP = "patient.labs.crp_mg_per_l"
NLR = "neutrophil_lymphocyte_ratio"
DNLR = "derived_neutrophil_lymphocyte_ratio"

LOW_ALBUMIN_G_PER_L = 35.0
UPPER_LIMIT = 1.0
PROGNOSTIC = "Prognostic whatever the treatment: it does not tell who gains from immunotherapy."
LEAVES_OUT = ("Treatment, tumor biology and everything measured after the start of treatment.", "Radiotherapy.")
CUT_OFF_VARIES = "Cut-offs differ between studies; the group uses the one stated in the equations."
