"""Writes low-dose/ and normal-dose/: 12 slices of one public abdominal CT, with and without simulated noise.

    python3 make_sample_series.py --data DIR

DIR holds index.json and kits00072.i16z.gz (see ../train-denoiser/README.md). The files are the same on every
run: the noise is seeded, the UIDs are hashes of names.
"""
import argparse
import pathlib
import sys
import uuid

import numpy as np
from pydicom.dataset import Dataset, FileDataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "train-denoiser"))
import metrics  # noqa: E402
import simulate  # noqa: E402
import volumes  # noqa: E402

VOLUME = "kits00072"  # C4KC-KiTS, patient KiTS-00072; split test: never trained on
SLICES = range(0, 12)  # of 18: upper abdomen, liver to heart
SEED = 20260101
PHOTONS = 8e4  # per view and detector bin, unattenuated; see README.md: a fifth to a quarter of the dose
VIEWS = 720
CUT_OFF = 1.0  # Hann window down to zero at Nyquist: as soft as the reference's B30s kernel

RESCALE_INTERCEPT = -1024  # stored value 0 is -1024 HU, so 12 bits hold -1024..3071 HU

SERIES = {
    "low-dose": {"number": 2, "description": "Abdomen 3.0 B30s, simulated low dose"},
    "normal-dose": {"number": 1, "description": "Abdomen 3.0 B30s, reference"},
}


def uid(name):
    """A UID under 2.25 (a UUID as a decimal, DICOM PS3.5 B.2) that depends on the name alone."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_URL, 'cipherdose/sample-series/' + name).int}"


def describe_study(data):
    data.StudyInstanceUID = uid("study")
    data.StudyDate, data.StudyTime = "20000101", "120000"  # made up
    data.StudyID, data.AccessionNumber, data.ReferringPhysicianName = "1", "", ""
    data.StudyDescription = "CT abdomen (public sample)"
    data.PatientName, data.PatientID = "CipherDose^Sample", "CIPHERDOSE-SAMPLE"
    data.PatientBirthDate, data.PatientSex = "", ""
    data.PatientIdentityRemoved = "YES"
    data.DeidentificationMethod = "Public TCIA image, header written anew"


def describe_series(data, series, entry):
    data.Modality = "CT"
    data.SeriesInstanceUID = uid(series)
    data.SeriesNumber = SERIES[series]["number"]
    data.SeriesDescription = SERIES[series]["description"]
    data.SeriesDate, data.SeriesTime = "20000101", "120000"
    data.PatientPosition, data.BodyPartExamined = "HFS", "ABDOMEN"
    data.FrameOfReferenceUID, data.PositionReferenceIndicator = uid("frame of reference"), ""
    data.Manufacturer, data.ManufacturerModelName = entry["manufacturer"], entry["model"]
    data.KVP, data.ConvolutionKernel = entry["kvp"], entry["kernel"]


def describe_image(data, series, number, hu, entry):
    """One axial slice; hu is int16 [rows, columns] in -1024..3071 HU, number counts from 1."""
    rows, columns = hu.shape
    spacing = entry["pixel_spacing"]  # mm
    z = entry["z_step"] * (number - 1)  # mm, towards the head
    data.SOPClassUID, data.SOPInstanceUID = CTImageStorage, uid(f"{series}/{number}")
    data.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    data.InstanceNumber, data.AcquisitionNumber = number, 1
    data.AcquisitionDate, data.AcquisitionTime = "20000101", "120000"
    data.ContentDate, data.ContentTime = "20000101", "120000"
    data.ImageComments = "C4KC-KiTS, KiTS-00072, TCIA, CC BY 3.0. " + (
        "Noise was added by simulation; not a real low-dose scan."
        if series == "low-dose"
        else "Pixel values as published; header written anew."
    )
    data.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
    corner = [-(columns - 1) / 2 * spacing[1], -(rows - 1) / 2 * spacing[0], z]  # the true origin is not kept
    data.ImagePositionPatient = [f"{value:.6f}" for value in corner]
    data.SliceLocation, data.SliceThickness = z, entry["slice_thickness"]
    data.PixelSpacing = spacing
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.Rows, data.Columns = rows, columns
    data.BitsAllocated, data.BitsStored, data.HighBit, data.PixelRepresentation = 16, 12, 11, 0
    data.RescaleIntercept, data.RescaleSlope, data.RescaleType = RESCALE_INTERCEPT, 1, "HU"
    data.WindowCenter, data.WindowWidth = 40, 400
    data.BurnedInAnnotation, data.LossyImageCompression = "NO", "00"
    data.PixelData = (hu.astype(np.int32) - RESCALE_INTERCEPT).astype("<u2").tobytes()


def write(path, series, number, hu, entry):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = uid(f"{series}/{number}")
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = uid("implementation")
    meta.ImplementationVersionName = "CIPHERDOSE"
    data = FileDataset(str(path), Dataset(), file_meta=meta, preamble=bytes(128))
    data.is_little_endian, data.is_implicit_VR = True, False
    describe_study(data)
    describe_series(data, series, entry)
    describe_image(data, series, number, hu, entry)
    data.save_as(path, write_like_original=False)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", required=True, help="folder with index.json and the volumes")
    parser.add_argument("--out", default=HERE, type=pathlib.Path)
    arguments = parser.parse_args()
    entry = next(e for e in volumes.volumes(arguments.data, "test") if volumes.name(e) == VOLUME)
    volume = volumes.load(arguments.data, entry)
    pixel_mm = float(entry["pixel_spacing"][0])
    scores = []
    for number, index in enumerate(SLICES, 1):
        reference = volume[index]
        rng = np.random.default_rng([SEED, index])
        noise = simulate.low_dose_noise(reference, PHOTONS, pixel_mm, CUT_OFF, rng, VIEWS)
        slices = {"normal-dose": reference, "low-dose": simulate.add_noise(reference, noise)}
        for series, hu in slices.items():
            folder = arguments.out / series
            folder.mkdir(parents=True, exist_ok=True)
            write(folder / f"{number:03}.dcm", series, number, hu, entry)
        scores.append([f(slices["low-dose"], reference) for f in (metrics.psnr, metrics.ssim, metrics.rmse)])
    psnr, ssim, rmse = np.mean(scores, axis=0)
    print(f"low dose against reference, mean of {len(scores)}: {psnr:.2f} dB, SSIM {ssim:.4f}, {rmse:.2f} HU")


if __name__ == "__main__":
    main()
