//! Which models there are, and by which checksums they are known.

/// A Python package that carries models.
pub(super) struct Package {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// SPDX.
    pub(super) licence: &'static str,
    /// What the models do.
    pub(super) about: &'static str,
    /// The name of its wheel in an index.
    pub(super) wheel: &'static str,
    pub(super) wheel_sha256: &'static str,
    /// What is kept of it.
    pub(super) files: &'static [File],
    /// Whose the models are, kept beside them.
    pub(super) notice: &'static str,
}

/// A file of a package that is kept.
pub(super) struct File {
    /// Its path in the wheel.
    pub(super) path: &'static str,
    /// Its name here.
    pub(super) name: &'static str,
    pub(super) sha256: &'static str,
}

/// The name of the notice in the folder of models.
pub(super) const NOTICE_NAME: &str = "NOTICE.txt";

/// RapidOCR's package, which carries PP-OCRv4 of PaddleOCR converted to ONNX: detection first, recognition second.
pub(super) const PP_OCR: Package = Package {
    name: "rapidocr-onnxruntime",
    version: "1.4.4",
    licence: "Apache-2.0",
    about: "text detection and recognition, PP-OCRv4, Chinese and English",
    wheel: "rapidocr_onnxruntime-1.4.4-py3-none-any.whl",
    wheel_sha256: "971d7d5f223a7a808662229df1ef69893809d8457d834e6373d3854bc1782cbf",
    files: &[
        File {
            path: "rapidocr_onnxruntime/models/ch_PP-OCRv4_det_infer.onnx",
            name: "ch_PP-OCRv4_det_infer.onnx",
            sha256: "d2a7720d45a54257208b1e13e36a8479894cb74155a5efe29462512d42f49da9",
        },
        File {
            path: "rapidocr_onnxruntime/models/ch_PP-OCRv4_rec_infer.onnx",
            name: "ch_PP-OCRv4_rec_infer.onnx",
            sha256: "48fc40f24f6d2a207a2b1091d3437eb3cc3eb6b676dc3ef9c37384005483683b",
        },
    ],
    notice: "PP-OCRv4 detection and recognition models of PaddleOCR (https://github.com/PaddlePaddle/PaddleOCR),\n\
             converted to ONNX by RapidOCR (https://github.com/RapidAI/RapidOCR), from the package\n\
             rapidocr-onnxruntime 1.4.4. Licence: Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0).\n",
};
