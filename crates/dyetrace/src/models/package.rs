//! Which models there are, and by which checksums they are known.

/// A package that carries models.
#[derive(Debug)]
pub(super) struct Package {
    pub(super) name: &'static str,
    pub(super) version: &'static str,
    /// SPDX.
    pub(super) licence: &'static str,
    /// What the models do.
    pub(super) about: &'static str,
    pub(super) kind: Kind,
    /// The name of its archive.
    pub(super) archive: &'static str,
    pub(super) archive_sha256: &'static str,
    /// What is kept of it.
    pub(super) files: &'static [File],
    /// The name of the notice in the folder of models.
    pub(super) notice_name: &'static str,
    /// Whose the models are, kept beside them.
    pub(super) notice: &'static str,
    /// What the program does with them; or what to type where this one was built without that.
    pub(super) usable: Result<&'static str, &'static str>,
}

/// Whose packages it is one of.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// Python's.
    Wheel,
    /// Rust's.
    Crate,
}

/// A file of a package that is kept.
#[derive(Debug)]
pub(super) struct File {
    /// Its path in the archive.
    pub(super) path: &'static str,
    /// Its name here.
    pub(super) name: &'static str,
    pub(super) sha256: &'static str,
}

/// All that are known.
pub(super) const ALL: [&Package; 2] = [&SEETA_FACE, &PP_OCR];

/// RapidOCR's package, which carries PP-OCRv4 of PaddleOCR converted to ONNX: detection first, recognition second.
pub(super) const PP_OCR: Package = Package {
    name: "rapidocr-onnxruntime",
    version: "1.4.4",
    licence: "Apache-2.0",
    about: "text detection and recognition, PP-OCRv4, Chinese and English",
    kind: Kind::Wheel,
    archive: "rapidocr_onnxruntime-1.4.4-py3-none-any.whl",
    archive_sha256: "971d7d5f223a7a808662229df1ef69893809d8457d834e6373d3854bc1782cbf",
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
    notice_name: "NOTICE.txt",
    notice: "PP-OCRv4 detection and recognition models of PaddleOCR (https://github.com/PaddlePaddle/PaddleOCR),\n\
             converted to ONNX by RapidOCR (https://github.com/RapidAI/RapidOCR), from the package\n\
             rapidocr-onnxruntime 1.4.4. Licence: Apache-2.0 (https://www.apache.org/licenses/LICENSE-2.0).\n",
    usable: if cfg!(feature = "ocr") {
        Ok("`dyetrace audit` now reads the text in pictures.\n")
    } else {
        Err("This dyetrace was built without reading text: cargo install --path crates/dyetrace --features ocr\n")
    },
};

/// The crate `rustface`, which carries the frontal model of SeetaFace Detection: the model first.
pub(super) const SEETA_FACE: Package = Package {
    name: "rustface",
    version: "0.1.7",
    licence: "BSD-2-Clause",
    about: "face detection, SeetaFace's frontal model",
    kind: Kind::Crate,
    archive: "rustface-0.1.7.crate",
    archive_sha256: "6a0e639a994b9e6eb2367f09054af0f3b27ad461aaf8e82ba97607b81ebf815e",
    files: &[
        File {
            path: "rustface-0.1.7/model/seeta_fd_frontal_v1.0.bin",
            name: "seeta_fd_frontal_v1.0.bin",
            sha256: "c4619d066ed35e84d9a8e842860b0dff567aba0cbb139881075538761db3ff5d",
        },
        File {
            path: "rustface-0.1.7/LICENSE",
            name: "seeta_fd_frontal_v1.0.LICENSE.txt",
            sha256: "86a93047f65a6830adcafa05c8a87f78ba73881471785a785fbe1a49053fdb7a",
        },
    ],
    notice_name: "NOTICE-faces.txt",
    notice: "Frontal face detection model of SeetaFace (https://github.com/seetaface/SeetaFaceEngine), from the crate\n\
             rustface 0.1.7 (https://github.com/atomashpolskiy/rustface). Copyright (c) 2016, Visual Information\n\
             Processing and Learning (VIPL) group, Institute of Computing Technology, Chinese Academy of Sciences,\n\
             Beijing, China. Licence: BSD-2-Clause, in seeta_fd_frontal_v1.0.LICENSE.txt.\n",
    usable: Ok("`dyetrace audit` now looks for faces in pictures.\n"),
};
