"""Card of the dose-volume engine for contoured structures."""

from simulation.model import Input, KnownValue, ModelCard, Reference

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        id="dicom-dvh",
        version="2",
        title="Dose-volume histogram of contoured structures",
        kind="dose",
        outcome="dose-volume histogram, volume and coverage of each structure",
        purpose="Reads dose grid and contours of a radiotherapy plan and samples the dose all through each structure.",
        population="Any plan exported as RTDOSE and RTSTRUCT.",
        inputs=(
            Input(name="structures", unit="mm", why="closed planar contours"),
            Input(name="dose", unit="Gy", why="rectilinear dose grid"),
        ),
        equations=(
            "Between contour planes the signed distances to both outlines are interpolated linearly "
            "(volume model interpolated, the default).",
            "The first and the last outline reach on by half of the adjacent gap.",
            "Contours of one plane combine by exclusive or.",
            "Dose at a point is trilinear between voxel centers; points lie along all three axes, 20000 or more.",
            "Minimum and maximum are of the points all through the volume; surface minimum and maximum add points on "
            "all outlines and end caps.",
            "Volume model contour_planes instead: every contour is a slab halfway to its neighbors, and the dose is "
            "read in the contour's plane, as programs do that do not sample between planes.",
        ),
        references=(
            Reference(
                citation="Raya SP, Udupa JK. Shape-based interpolation of multidimensional objects. "
                "IEEE Trans Med Imaging 1990;9:32-42",
                doi="10.1109/42.52980",
                verified=False,
            ),
            Reference(
                citation="Nelms B, Stambaugh C, Hunt D, et al. Methods, software and datasets to verify DVH "
                "calculations against analytical values. Med Phys 2015;42:4435-4448",
                doi="10.1118/1.4923175",
                verified=False,
            ),
        ),
        leaves_out=(
            "structures drawn as points or open lines",
            "contours that are not in parallel planes",
            "dose uncertainty of the planning system",
            "doses above 200 Gy, as beside brachytherapy sources",
        ),
        example={"structures": "RTSTRUCT file", "dose": "RTDOSE file"},
        known_values=(
            KnownValue(
                inputs={"shape": "sphere of radius 24 mm", "dose_gy": "20 + 0.25 z", "plane_spacing_mm": 1.0},
                expected={"volume_cm3": 57.906, "mean_gy": 20.0, "d95_gy": 15.624, "d2_gy": 24.992},
                absolute_tolerance=0.3,
                source="closed form",
            ),
        ),
        coefficients_note="Geometry: no number was fitted; the conventions stand under equations.",
        validated_on_patients=False,
        known_failures=(
            "Planning systems close the ends of a structure differently: volumes of small structures differ.",
            "Programs that read the dose in the contour planes alone give higher near-minimum doses where the dose "
            "falls off beyond the last plane: on the breast plan that dicompyler-core ships, D98 of the tumor bed "
            "block is 13.43 Gy here and 13.56 to 13.64 Gy there; the model contour_planes gives 13.57 Gy.",
            "Structures of less than a cubic centimeter in a steep gradient: programs that rasterize at 1 mm depend on "
            "where their raster lies. For the scar (0.5 cm3) of that plan, plastimatch gives D95 2.54 Gy on its "
            "standard raster, 2.30 to 2.44 Gy with the raster moved by half a pixel and 2.37 Gy on one of 0.05 mm; "
            "contour_planes gives 2.37 Gy, interpolated 2.49 Gy. With both models minimum, maximum, D50, D95 and D98 "
            "of this scar lie outside the range of plastimatch on its standard raster and the planning system.",
            "Parts of a structure outside the body's contour count like the rest: of that scar 17 % of the volume. "
            "Leaving them out takes D95 to 3.8 Gy, further from the 2.54 to 2.59 Gy of the other programs.",
        ),
        license_and_patents="Own implementation.",
        history=(
            "1: first version.",
            "2: minimum and maximum are of the volume, with the extremes of the surface beside; second volume model.",
        ),
    ),
)
