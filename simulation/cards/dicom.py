"""Card of the dose-volume engine for contoured structures."""

from simulation.model import Input, KnownValue, ModelCard, Reference

CARDS: tuple[ModelCard, ...] = (
    ModelCard(
        id="dicom-dvh",
        version="1",
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
            "Between contour planes the signed distances to both outlines are interpolated linearly.",
            "The first and the last outline reach on by half of the adjacent gap.",
            "Contours of one plane combine by exclusive or.",
            "Dose at a point is trilinear between voxel centers.",
            "Minimum and maximum include points on the surface.",
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
        validated_on_patients=False,
        license_and_patents="Own implementation.",
    ),
)
