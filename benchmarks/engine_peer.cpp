// The multi-lesion kernel in C++, for comparison only: the same workspace, steps and equations as the compiled engine.
// benchmarks/engine.py writes the row offsets (rows.h) from the Python module, so both use one layout.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "rows.h"

namespace {

constexpr double C2 = 0.161, C3 = 0.327, C4 = 0.9, C5 = 0.9800255409045097;
constexpr double A21 = 0.161, A31 = -0.008480655492356989, A32 = 0.335480655492357;
constexpr double A41 = 2.8971530571054935, A42 = -6.359448489975075, A43 = 4.3622954328695815;
constexpr double A51 = 5.325864828439257, A52 = -11.748883564062828, A53 = 7.4955393428898365,
                 A54 = -0.09249506636175525;
constexpr double A61 = 5.86145544294642, A62 = -12.92096931784711, A63 = 8.159367898576159,
                 A64 = -0.071584973281401, A65 = -0.028269050394068383;
constexpr double A71 = 0.09646076681806523, A72 = 0.01, A73 = 0.4798896504144996, A74 = 1.379008574103742,
                 A75 = -3.290069515436081, A76 = 2.324710524099774;
constexpr double E1 = -0.00178001105222577714, E2 = -0.0008164344596567469, E3 = 0.007880878010261995,
                 E4 = -0.1447110071732629, E5 = 0.5823571654525552, E6 = -0.45808210592918697,
                 E7 = 0.015151515151515152;
constexpr double D[7][4] = {{1.0, -2.763706197274826, 2.9132554618219126, -1.0530884977290216},
                            {0.0, 0.1317, -0.2234, 0.1017},
                            {0.0, 3.9302962368947516, -5.941033872131505, 2.490627285651253},
                            {0.0, -12.411077166933676, 30.33818863028232, -16.548102889244902},
                            {0.0, 37.50931341651104, -88.1789048947664, 47.37952196281928},
                            {0.0, -27.896526289197286, 65.09189467479366, -34.87065786149661},
                            {0.0, 1.5, -4.0, 2.5}};

#define LANE _Pragma("GCC ivdep") for (int l = 0; l < W; ++l)

inline double exp_decay(double exponent) {
    const double z = std::max(exponent, -60.0) * 0.00390625;
    double s = 1.0 + z * (1.0 / 9.0);
    s = 1.0 + z * (1.0 / 8.0) * s;
    s = 1.0 + z * (1.0 / 7.0) * s;
    s = 1.0 + z * (1.0 / 6.0) * s;
    s = 1.0 + z * 0.2 * s;
    s = 1.0 + z * 0.25 * s;
    s = 1.0 + z * (1.0 / 3.0) * s;
    s = 1.0 + z * 0.5 * s;
    s = 1.0 + z * s;
    for (int i = 0; i < 8; ++i) s *= s;
    return s;
}

inline double survival(double dose, double alpha, double beta) {
    if (beta <= 0.0) return std::exp(-alpha * dose);
    const double bend = 2.0 * alpha / beta;
    if (dose <= bend) return std::exp(-alpha * dose - beta * dose * dose);
    return std::exp(-(alpha * bend + beta * bend * bend) - (alpha + 2.0 * beta * bend) * (dose - bend));
}

inline void rhs(double* __restrict ws, int lesions) {
    LANE { ws[sink_ + l] = 0.0; ws[signal_ + l] = 0.0; }
    for (int i = 0; i < lesions; ++i) {
        const int o = S + W * (N_SYSTEMIC + N_LESION * i);
        LANE {
            const double V = ws[o + l] + ws[o + W + l], dying = ws[o + 2 * W + l];
            const double F2 = ws[o + 7 * W + l] * ws[o + 7 * W + l], KF2 = ws[KF_ + l] * ws[KF_ + l];
            const double hill = F2 * F2 / (KF2 * KF2 + F2 * F2);
            ws[sink_ + l] += ws[chi_ + i * W + l] * V;
            ws[signal_ + l] += ws[a0_ + l] * V / (V + ws[VA_ + l]) +
                               ws[aRT_ + l] * ws[kc_ + l] * hill * dying / (1.0 + dying / ws[VRT_ + l]);
        }
    }
    LANE {
        const double H = ws[S + l], C = ws[S + W + l], M = ws[S + 2 * W + l], A = ws[S + 3 * W + l],
                     N = ws[S + 4 * W + l];
        const double pr = H / (ws[Hh_ + l] + H);
        ws[DY + l] = ws[signal_ + l] - ws[kH_ + l] * H;
        ws[DY + W + l] =
            A * pr * (ws[p_ + l] * N * (1.0 + ws[sig4_ + l] * ws[ro4_ + l]) + ws[pM_ + l] * M) - ws[kC_ + l] * C;
        ws[DY + 2 * W + l] = ws[eps_ + l] * C - ws[kM_ + l] * M;
        ws[DY + 3 * W + l] = ws[kA_ + l] * (1.0 - A);
        ws[DY + 4 * W + l] = ws[kN_ + l] * (1.0 - N);
        ws[sink_ + l] = ws[kin_ + l] * C / (1.0 + ws[sink_ + l] / ws[Vsink_ + l]);
    }
    for (int i = 0; i < lesions; ++i) {
        const int o = S + W * (N_SYSTEMIC + N_LESION * i), d = DY + W * (N_SYSTEMIC + N_LESION * i);
        LANE {
            const double sensitive = ws[o + l], resistant = ws[o + W + l], E = ws[o + 3 * W + l],
                         exhausted = ws[o + 4 * W + l], L = ws[o + 5 * W + l], G = ws[o + 6 * W + l];
            const double V = sensitive + resistant, ro1 = ws[ro1_ + l];
            const double functional = E / ((1.0 + ws[rhoPD_ + l] * L * (1.0 - ro1)) * (1.0 + G));
            const double kimm = ws[kappa_ + l] * functional;
            const double kcar = ws[kappa_car_ + l] * ws[car_ + l] * ws[chi_ + i * W + l] * ws[persist_ + i * W + l];
            const double growth = ws[r_ + l] * (1.0 - V / ws[Kmax_ + l]);
            const double exhaustion =
                ws[kex_ + l] * V / (V + ws[half_ex_ + l]) * (1.0 - ws[ex_relief_ + l] * ro1);
            const double revival = ws[krev_ + l] * ro1;
            ws[d + l] = (growth - ws[mu_ + l] - kimm - kcar) * sensitive;
            ws[d + W + l] = growth * resistant + ws[mu_ + l] * sensitive - (1.0 - ws[rR_ + l]) * kimm * resistant;
            ws[d + 2 * W + l] = -ws[kc_ + l] * ws[o + 2 * W + l];
            ws[d + 3 * W + l] =
                ws[chi_ + i * W + l] * ws[sink_ + l] - (ws[dE_ + l] + exhaustion) * E + revival * exhausted;
            ws[d + 4 * W + l] = exhaustion * E - (ws[dX_ + l] + revival) * exhausted;
            ws[d + 5 * W + l] = ws[kL_ + l] * (ws[L0_ + l] + (1.0 - ws[L0_ + l]) * E / (E + ws[KL_ + l]) - L);
            ws[d + 6 * W + l] =
                ws[kG_ + l] *
                (ws[G0_ + l] * (1.0 + ws[gV_ + l] * V / (V + ws[VG_ + l])) * (1.0 - ws[del4_ + l] * ws[ro4_ + l]) - G);
            ws[d + 7 * W + l] = -ws[kF_ + l] * ws[o + 7 * W + l];
        }
    }
}

inline void force(double* __restrict ws, double tau) {
    if (ws[drug_on_] <= 0.0) return;
    LANE {
        const double c1 = ws[pd1a_ + l] * exp_decay(-ws[pd1_alpha_ + l] * tau) +
                          ws[pd1b_ + l] * exp_decay(-ws[pd1_beta_ + l] * tau);
        const double c4 = ws[ctla4a_ + l] * exp_decay(-ws[ctla4_alpha_ + l] * tau) +
                          ws[ctla4b_ + l] * exp_decay(-ws[ctla4_beta_ + l] * tau);
        ws[c1_ + l] = c1;
        ws[c4_ + l] = c4;
        ws[ro1_ + l] = c1 / (c1 + ws[KD1_ + l]);
        ws[ro4_ + l] = c4 / (c4 + ws[KD4_ + l]);
    }
}

inline void event(double* __restrict ws, int lesions, double elapsed, const double* row) {
    LANE {
        ws[pd1a_ + l] = ws[pd1a_ + l] * exp_decay(-ws[pd1_alpha_ + l] * elapsed) + row[DOSE_PD1_MG] * ws[pd1_a_ + l];
        ws[pd1b_ + l] = ws[pd1b_ + l] * exp_decay(-ws[pd1_beta_ + l] * elapsed) + row[DOSE_PD1_MG] * ws[pd1_b_ + l];
        ws[ctla4a_ + l] =
            ws[ctla4a_ + l] * exp_decay(-ws[ctla4_alpha_ + l] * elapsed) + row[DOSE_CTLA4_MG] * ws[ctla4_a_ + l];
        ws[ctla4b_ + l] =
            ws[ctla4b_ + l] * exp_decay(-ws[ctla4_beta_ + l] * elapsed) + row[DOSE_CTLA4_MG] * ws[ctla4_b_ + l];
        if (row[DOSE_PD1_MG] > 0.0 || row[DOSE_CTLA4_MG] > 0.0) ws[drug_on_ + l] = 1.0;
        ws[Y + 3 * W + l] *= 1.0 - ws[lamA_ + l] * row[FIELD_EXPOSURE];
    }
    for (int i = 0; i < lesions; ++i) {
        const int o = Y + W * (N_SYSTEMIC + N_LESION * i);
        const double dose = row[i];
        if (dose <= 0.0) continue;
        for (int l = 0; l < W; ++l) {
            const double s = survival(dose, ws[alpha_ + l], ws[beta_ + l]);
            const double t = std::max(std::exp(-ws[aL_ + l] * dose - ws[bL_ + l] * dose * dose), 0.01);
            const double d2 = dose * dose, d8 = d2 * d2 * d2 * d2;
            ws[o + 2 * W + l] += (1.0 - s) * (ws[o + l] + ws[o + W + l]);
            ws[o + l] *= s;
            ws[o + W + l] *= s;
            ws[o + 3 * W + l] *= t;
            ws[o + 4 * W + l] *= t;
            ws[o + 7 * W + l] += d2 / (ws[d50_ + l] * ws[d50_ + l] + d2) *
                                 (1.0 - ws[trex_ + l] * d8 / (std::pow(ws[dT_ + l], 8) + d8));
        }
    }
}

inline bool settle(double* ws, int lesions) {
    bool changed = false;
    for (int i = 0; i < lesions; ++i) {
        const int o = Y + W * (N_SYSTEMIC + N_LESION * i);
        for (int l = 0; l < W; ++l) {
            const double V = ws[o + l] + ws[o + W + l];
            if (V < ws[V_ext_ + l] && V != 0.0) {
                ws[o + l] = ws[o + W + l] = 0.0;
                changed = true;
            }
        }
    }
    return changed;
}

#define FLAT _Pragma("GCC ivdep") for (int e = 0; e < size; ++e)

inline void stages(double* __restrict ws, int size, int lesions, double since, double h, bool fresh) {
    if (fresh) {
        FLAT ws[S + e] = ws[Y + e];
        force(ws, since);
        rhs(ws, lesions);
        FLAT ws[K1 + e] = ws[DY + e];
    }
    FLAT ws[S + e] = ws[Y + e] + h * (A21 * ws[K1 + e]);
    force(ws, since + C2 * h);
    rhs(ws, lesions);
    FLAT { const double d = ws[DY + e]; ws[K2 + e] = d; ws[S + e] = ws[Y + e] + h * (A31 * ws[K1 + e] + A32 * d); }
    force(ws, since + C3 * h);
    rhs(ws, lesions);
    FLAT {
        const double d = ws[DY + e];
        ws[K3 + e] = d;
        ws[S + e] = ws[Y + e] + h * (A41 * ws[K1 + e] + A42 * ws[K2 + e] + A43 * d);
    }
    force(ws, since + C4 * h);
    rhs(ws, lesions);
    FLAT {
        const double d = ws[DY + e];
        ws[K4 + e] = d;
        ws[S + e] = ws[Y + e] + h * (A51 * ws[K1 + e] + A52 * ws[K2 + e] + A53 * ws[K3 + e] + A54 * d);
    }
    force(ws, since + C5 * h);
    rhs(ws, lesions);
    FLAT {
        const double d = ws[DY + e];
        ws[K5 + e] = d;
        ws[S + e] = ws[Y + e] +
                    h * (A61 * ws[K1 + e] + A62 * ws[K2 + e] + A63 * ws[K3 + e] + A64 * ws[K4 + e] + A65 * d);
    }
    force(ws, since + h);
    rhs(ws, lesions);
    FLAT {
        const double d = ws[DY + e];
        ws[K6 + e] = d;
        ws[S + e] = ws[Y + e] + h * (A71 * ws[K1 + e] + A72 * ws[K2 + e] + A73 * ws[K3 + e] + A74 * ws[K4 + e] +
                                     A75 * ws[K5 + e] + A76 * d);
    }
    rhs(ws, lesions);
    FLAT ws[K7 + e] = ws[DY + e];
}

inline double error_ratio(double* __restrict ws, int rows, double h, const double* floors, double rtol) {
    LANE ws[OBS + l] = 0.0;
    for (int i = 0; i < rows; ++i) {
        const double floor = floors[i];
        LANE {
            const int e = i * W + l;
            const double err = h * (E1 * ws[K1 + e] + E2 * ws[K2 + e] + E3 * ws[K3 + e] + E4 * ws[K4 + e] +
                                    E5 * ws[K5 + e] + E6 * ws[K6 + e] + E7 * ws[K7 + e]);
            const double scaled = err / (floor + std::max(std::abs(ws[Y + e]), std::abs(ws[S + e])));
            ws[OBS + l] += scaled * scaled;
        }
    }
    double worst = 0.0;
    for (int l = 0; l < W; ++l)
        if (!(ws[OBS + l] <= worst)) worst = ws[OBS + l];
    return std::sqrt(worst / rows) / rtol;
}

inline void interpolate(double* __restrict ws, int size, double h, double x) {
    double w[7];
    for (int i = 0; i < 7; ++i) w[i] = h * x * (D[i][0] + x * (D[i][1] + x * (D[i][2] + x * D[i][3])));
    FLAT ws[S + e] = ws[Y + e] + w[0] * ws[K1 + e] + w[1] * ws[K2 + e] + w[2] * ws[K3 + e] + w[3] * ws[K4 + e] +
                     w[4] * ws[K5 + e] + w[5] * ws[K6 + e] + w[6] * ws[K7 + e];
}

inline void record(double* __restrict ws, int lesions, double tau, double* out, long rows, long k, long first, long n) {
    force(ws, tau);
    LANE {
        ws[OBS + l] = ws[S + 3 * W + l];
        ws[OBS + W + l] = ws[c1_ + l];
        ws[OBS + 2 * W + l] = ws[c4_ + l];
        ws[OBS + 3 * W + l] = ws[car_ + l];
        ws[OBS + 4 * W + l] = ws[S + W + l];
    }
    for (int i = 0; i < lesions; ++i) {
        const int o = S + W * (N_SYSTEMIC + N_LESION * i);
        LANE {
            const double viable = std::max(ws[o + l] + ws[o + W + l], 0.0);
            ws[OBS + W * (5 + 2 * i) + l] = viable + std::max(ws[o + 2 * W + l], 0.0);
            ws[OBS + W * (6 + 2 * i) + l] = viable;
        }
    }
    for (long i = 0; i < rows; ++i) std::memcpy(out + (k * rows + i) * n + first, ws + OBS + i * W, W * sizeof(double));
}

}  // namespace

extern "C" long solve(const double* parameters, long n_parameters, const double* initial, long rows, long n, long lesions,
                      const double* stop_days, long n_stops, const double* table, long columns,
                      const double* output_days, long n_outputs, const double* floors, double rtol, double* out,
                      long out_rows) {
    alignas(64) static thread_local double ws[WORKSPACE];
    long steps = 0;
    for (long first = 0; first < n; first += W) {
        std::fill(ws, ws + WORKSPACE, 0.0);
        for (long i = 0; i < n_parameters; ++i) LANE ws[P + i * W + l] = parameters[i * n + first + l];
        for (long i = 0; i < rows; ++i) LANE ws[Y + i * W + l] = initial[i * n + first + l];
        const int size = static_cast<int>(rows) * W;
        double h = 0.05;
        long next = 0;
        for (long k = 0; k + 1 < n_stops; ++k) {
            const double start = stop_days[k], length = stop_days[k + 1] - start;
            const double since = k == 0 ? 0.0 : start - stop_days[k - 1];
            while (k == 0 && next < n_outputs && output_days[next] <= start) {
                FLAT ws[S + e] = ws[Y + e];
                record(ws, lesions, 0.0, out, out_rows, next++, first, n);
            }
            event(ws, lesions, since, table + k * columns);
            settle(ws, lesions);
            bool fresh = true;
            double done = 0.0;
            h = std::min(h, 0.25);
            while (done < length) {
                const double left = length - done;
                const bool last = h >= left;
                const double step = last ? left : (2.0 * h > left ? 0.5 * left : h);
                stages(ws, size, lesions, done, step, fresh);
                const double ratio = error_ratio(ws, static_cast<int>(rows), step, floors, rtol);
                ++steps;
                if (ratio <= 1.0) {
                    const double end = last ? length : done + step;
                    while (next < n_outputs &&
                           (output_days[next] - start < end || (last && output_days[next] <= stop_days[k + 1]))) {
                        const double tau = output_days[next] - start;
                        FLAT ws[DY + e] = ws[S + e];
                        interpolate(ws, size, step, (tau - done) / step);
                        record(ws, lesions, tau, out, out_rows, next++, first, n);
                        FLAT ws[S + e] = ws[DY + e];
                    }
                    FLAT { ws[Y + e] = ws[S + e]; ws[K1 + e] = ws[K7 + e]; }
                    done = end;
                    fresh = settle(ws, lesions);
                    const double grown = step * std::min(5.0, 0.9 * std::pow(ratio + 1e-10, -0.2));
                    h = std::min(14.0, last ? std::max(h, grown) : grown);
                } else {
                    h = step * std::max(0.2, 0.9 * std::pow(ratio, -0.2));
                    fresh = false;
                    if (h < 1e-9) return -1;
                }
            }
        }
    }
    return steps;
}
