"""ONNX Runtime's graph optimisers by name: what a session can be told to leave out.

All that releases from 1.16 to 1.32 know; a name that a build does not know changes nothing there.

Source: onnxruntime/core/optimizer/graph_transformer_utils.cc (GenerateRewriteRules,
GenerateTransformers), and the names that stand in the libraries of the releases themselves.
"""

from __future__ import annotations

OPTIMISERS: tuple[str, ...] = (
    # Rewrite rules of the level `basic`.
    *("EliminateIdentity", "EliminateSlice", "UnsqueezeElimination", "EliminateDropout"),
    *("ExpandElimination", "CastElimination", "CastChainElimination", "PreShapeNodeElimination"),
    *("NoopElimination", "DivMulFusion", "FuseReluClip", "GemmSumFusion", "GemmTransposeFusion"),
    *("NotWhereFusion", "ConvAddFusion", "ConvMulFusion", "ConvBNFusion", "Pad_Fusion"),
    *("MatMul_BatchNormalization_Fusion", "ClipQuantRewrite", "ReluQuantRewrite"),
    *("LabelEncoderFusion",),
    # Graph transformers of the level `basic`.
    *("DoubleQDQPairsRemover", "ConstantSharing", "CommonSubexpressionElimination"),
    *("ConstantFolding", "MatMulAddFusion", "ReshapeFusion", "FreeDimensionOverrideTransformer"),
    *("GeluFusion", "GeluFusionL1", "LayerNormFusion", "LayerNormFusionL1"),
    *("QDQPropagationTransformer", "WeightBiasQuantization", "WhereDummyDq"),
    *("EnsureUniqueDQForNodeUnit", "FuseFp16InitializerToFp32NodeTransformer"),
    *("RocmBlasAltImpl", "TransposeOptimizer", "SliceConcatToSpaceToDepthFusion"),
    # Of the level `extended`.
    *("QDQS8ToU8Transformer", "QDQSelectorActionTransformer", "GemmActivationFusion"),
    *("MatMulIntegerToFloatFusion", "DynamicQuantizeMatMulFusion", "ConvActivationFusion"),
    *("GeluFusionL2", "LayerNormFusionL2", "SimplifiedLayerNormFusion", "AttentionFusion"),
    *("EmbedLayerNormFusion", "GatherSliceToSplitFusion", "GatherToSplitFusion"),
    *("GatherToSliceFusion", "MatmulTransposeFusion", "BiasGeluFusion", "BiasSoftmaxFusion"),
    *("BiasDropoutFusion", "SkipLayerNormFusion", "BiasSkipLayerNormFusion", "FastGeluFusion"),
    *("QuickGeluFusion", "SwiGluFusion", "GroupQueryAttentionFusion"),
    *("GroupQueryAttentionPreNormFusion", "MatMulScaleFusion", "MatMulActivationFusion"),
    *("MatMulNBitsFusion", "DQMatMulNBitsFusion", "MatMulNBitsQkvFusion", "MatMulNBitsMlpFusion"),
    *("MatMulNBitsQLoRAFusion", "GqaValueLayoutTransformer", "GeluApproximation"),
    *("Avx2WeightS8ToU8Transformer", "QDQFinalCleanupTransformer"),
    # Of the level `all`, where layouts are chosen for the processor.
    *("NchwcTransformer", "NhwcTransformer", "ConvAddActivationFusion"),
    # Of every level.
    *("CastFloat16Transformer", "RemoveDuplicateCastTransformer", "MemcpyTransformer"),
)
