"""Numbers worked out by hand, conventions, and what each metric refuses."""

import math

import numpy as np
import pytest

from minigrad import metrics


@pytest.mark.parametrize(
    ("metric", "y_true", "y_pred", "expected"),
    [
        (metrics.MeanSquaredError(), [[0.0, 1.0]], [[3.0, 2.0]], 5.0),
        (metrics.RootMeanSquaredError(), [[0.0, 1.0]], [[3.0, 2.0]], math.sqrt(5)),
        (metrics.MeanAbsoluteError(), [[0.0, 1.0]], [[3.0, 2.0]], 2.0),
        (metrics.MeanAbsolutePercentageError(), [[4.0, 1.0]], [[3.0, 2.0]], 62.5),
        (metrics.MeanSquaredLogarithmicError(), [[math.e - 1]], [[math.e**3 - 1]], 4.0),
        (metrics.LogCoshError(), [[0.0]], [[1.0]], math.log(math.cosh(1))),
        (metrics.CosineSimilarity(), [[3.0, 4.0]], [[4.0, 3.0]], 0.96),
        (metrics.R2Score(), [[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]], 0.5),
        (metrics.R2Score(num_regressors=1), [[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]], 0.0),
        (metrics.Poisson(), [[2.0]], [[1.0]], 1 - 2 * math.log(1 + 1e-7)),
        (metrics.KLDivergence(), [[0.5, 0.5]], [[0.25, 0.75]], 0.5 * math.log(4 / 3)),
        (metrics.Hinge(), [[0, 1]], [[0.25, 0.25]], 1.0),
        (metrics.SquaredHinge(), [[-1, 1]], [[0.0, 0.5]], 0.625),
        (metrics.CategoricalHinge(), [[0, 0, 1]], [[0.5, 0.2, 0.1]], 1.4),
        (metrics.Precision(), [0, 1, 1, 0], [0.9, 0.9, 0.1, 0.6], 1 / 3),
        (metrics.Recall(), [0, 1, 1, 0], [0.9, 0.9, 0.1, 0.6], 1 / 2),
        (metrics.F1Score("micro", threshold=0.5), [0, 1, 1, 0], [0.9, 0.9, 0.1, 0.6], 0.4),
        (metrics.FBetaScore("micro", 2.0, 0.5), [0, 1, 1, 0], [0.9, 0.9, 0.1, 0.6], 5 / 11),
    ],
    ids=repr,
)  # fmt: skip
def test_numbers_by_hand(metric, y_true, y_pred, expected):
    assert metric(y_true, y_pred) == pytest.approx(expected, rel=1e-9)


def test_the_root_is_taken_of_the_whole_epoch():
    metric = metrics.RootMeanSquaredError()
    metric.update_state([[0.0]], [[3.0]])
    metric.update_state([[0.0]], [[4.0]])
    assert metric.result() == pytest.approx(math.sqrt(12.5))


def test_a_short_batch_counts_for_less():
    metric = metrics.MeanAbsoluteError()
    metric.update_state(np.zeros((3, 1)), np.ones((3, 1)))
    metric.update_state(np.zeros((1, 1)), np.full((1, 1), 5.0))
    assert metric.result() == 2


def test_predictions_of_one_axis_are_samples_of_one_number():
    metric = metrics.MeanAbsoluteError()
    assert metric([0.0, 0.0], [1.0, 3.0], sample_weight=[3, 1]) == 1.5


@pytest.mark.parametrize("shapes", [((2,), (2, 1)), ((2, 1), (2,)), ((2, 1), (2, 1))])
def test_a_column_may_miss_its_last_axis(shapes):
    y_true, y_pred = np.zeros(shapes[0]), np.array([1.0, 3.0]).reshape(shapes[1])
    for weights in ([3, 1], [[3], [1]]):
        assert metrics.MeanAbsoluteError()(y_true, y_pred, sample_weight=weights) == 1.5


def test_labels_may_stand_in_a_column():
    assert metrics.SparseCategoricalAccuracy()([[2], [1]], [[0, 0, 1], [1, 0, 0]]) == 0.5


def test_a_mean_takes_single_numbers_and_their_weights():
    mean = metrics.Mean()
    mean.update_state(1.0, sample_weight=3)
    mean.update_state(5.0)
    assert mean.result() == 2


class TestExtremes:
    @pytest.mark.parametrize("logit", [-1e4, 1e4])
    def test_logits_never_overflow(self, logit):
        right = float(logit > 0)
        binary = metrics.BinaryCrossentropy(from_logits=True)
        assert binary([[right]], [[logit]]) == 0
        assert binary([[1 - right]], [[logit]]) == 5e3
        sparse = metrics.SparseCategoricalCrossentropy(from_logits=True)
        assert sparse([int(right)], [[0.0, logit]]) == 0
        sparse.reset_state()
        assert sparse([int(1 - right)], [[0.0, logit]]) == 1e4

    def test_log_cosh_never_overflows(self):
        assert metrics.LogCoshError()([[0.0]], [[1e5]]) == pytest.approx(1e5 - math.log(2))

    def test_saturated_probabilities_are_clipped(self):
        for probability in (0.0, 1.0):
            wrong = metrics.BinaryCrossentropy()([[1 - probability]], [[probability]])
            assert wrong == pytest.approx(-math.log(1e-7), rel=1e-6)

    def test_scores_that_sum_to_0_are_as_wrong_as_can_be(self):
        found = metrics.SparseCategoricalCrossentropy()([1], [[0.0, 0.0]])
        assert found == pytest.approx(-math.log(1e-7))

    def test_a_vector_of_zeros_has_no_direction(self):
        assert metrics.CosineSimilarity()([[0.0, 0.0]], [[1.0, 2.0]]) == 0

    def test_nan_is_never_among_the_first(self):
        assert metrics.SparseTopKCategoricalAccuracy(k=1)([0], [[np.nan, 0.5]]) == 0

    def test_nan_in_a_prediction_is_not_hidden(self):
        assert math.isnan(metrics.MeanSquaredError()([[1.0]], [[np.nan]]))


class TestAccuracies:
    def test_equal_in_float32_is_equal(self):
        assert metrics.Accuracy()([[0.1]], np.array([[0.1]], np.float32)) == 1

    def test_fractions_are_not_cut_to_be_equal(self):
        assert metrics.Accuracy()([[1.5]], [[1]]) == 0

    def test_of_equal_scores_all_are_among_the_first(self):
        metric = metrics.SparseTopKCategoricalAccuracy(k=2)
        assert metric([0, 1, 2, 3], np.tile([0.1, 0.1, 0.9, 0.0], (4, 1))) == 0.75

    def test_of_equal_scores_the_first_is_the_predicted_class(self):
        assert metrics.SparseCategoricalAccuracy()([0, 1], [[0.5, 0.5], [0.5, 0.5]]) == 0.5

    @pytest.mark.parametrize("k", [0, -1, 1.5, True, "2", None])
    def test_k_is_a_positive_integer(self, k):
        with pytest.raises(ValueError, match="k must be a positive integer"):
            metrics.TopKCategoricalAccuracy(k=k)

    def test_more_than_there_are_classes_is_refused(self):
        with pytest.raises(ValueError, match=r"k=5 of 3 classes.*\(1, 3\)"):
            metrics.TopKCategoricalAccuracy()([[0, 1, 0]], [[0.1, 0.2, 0.7]])

    @pytest.mark.parametrize("threshold", [np.nan, np.inf, "0.5", True, None])
    def test_a_threshold_is_a_finite_number(self, threshold):
        with pytest.raises(ValueError, match="threshold must be a finite number"):
            metrics.BinaryAccuracy(threshold=threshold)

    def test_unknown_arguments_are_refused(self):
        with pytest.raises(TypeError, match="treshold"):
            metrics.BinaryAccuracy(treshold=0.3)


SPARSE = [
    metrics.SparseCategoricalAccuracy(),
    metrics.SparseTopKCategoricalAccuracy(k=1),
    metrics.SparseCategoricalCrossentropy(),
]
ONE_HOT = [
    metrics.CategoricalAccuracy(),
    metrics.TopKCategoricalAccuracy(k=1),
    metrics.CategoricalCrossentropy(),
    metrics.CategoricalHinge(),
]


@pytest.mark.parametrize("metric", SPARSE, ids=repr)
@pytest.mark.parametrize("label", [-1, 3, 0.5, np.nan])
def test_a_label_that_is_no_class_is_refused(metric, label):
    with pytest.raises(ValueError, match="from 0 to 2") as error:
        metric.update_state([0, label], np.ones((2, 3)))
    assert repr(metric.name) in str(error.value)
    assert str(label) in str(error.value)


@pytest.mark.parametrize("metric", ONE_HOT, ids=repr)
def test_labels_in_place_of_one_hot_targets_are_refused_with_the_way_out(metric):
    with pytest.raises(ValueError, match="begins with Sparse"):
        metric.update_state([0, 1], np.ones((2, 3)))


@pytest.mark.parametrize("metric", [*SPARSE, *ONE_HOT], ids=repr)
def test_one_column_is_no_score_for_classes(metric):
    with pytest.raises(ValueError, match="BinaryAccuracy"):
        metric.update_state([[1], [0]], [[0.7], [0.3]])


class TestTargets:
    @pytest.mark.parametrize("bad", [-0.1, 1.1, np.nan])
    def test_of_cross_entropies_are_probabilities(self, bad):
        with pytest.raises(ValueError, match="between 0 and 1"):
            metrics.BinaryCrossentropy()([[bad]], [[0.5]])
        with pytest.raises(ValueError, match="between 0 and 1"):
            metrics.CategoricalCrossentropy()([[bad, 0.0]], [[0.5, 0.5]])

    @pytest.mark.parametrize("bad", [-1, 2, 0.5, np.nan])
    @pytest.mark.parametrize("metric", [metrics.Precision(), metrics.Recall(), metrics.F1Score()])
    def test_of_precision_and_recall_are_0_or_1(self, metric, bad):
        with pytest.raises(ValueError, match="must be 0 or 1"):
            metric.update_state([[bad], [1]], [[0.5], [0.5]])

    def test_of_hinges_are_signs(self):
        with pytest.raises(ValueError, match=r"-1 or 1.*Received: 0\.5"):
            metrics.Hinge()([[0.5]], [[0.5]])

    def test_of_poisson_may_be_any_but_predictions_are_rates(self):
        with pytest.raises(ValueError, match="must not be negative"):
            metrics.Poisson()([[1.0]], [[-0.5]])


class TestR2Score:
    def test_a_large_offset_costs_no_precision(self):
        y_true, y_pred = np.array([[1.0], [2.0], [3.0]]), np.array([[1.0], [2.0], [4.0]])
        assert metrics.R2Score()(y_true + 1e9, y_pred + 1e9) == 0.5

    def test_constant_targets_have_nothing_to_explain(self):
        constant = np.full((7, 1), 0.1)
        assert metrics.R2Score()(constant, constant) == 1
        assert metrics.R2Score()(constant, constant + 1) == 0
        assert metrics.R2Score("variance_weighted_average")(constant, constant + 1) == 0

    def test_weighting_by_variance_leaves_constant_outputs_out(self):
        y_true, y_pred = np.array([[1.0, 5.0], [2.0, 5.0], [3.0, 5.0]]), np.ones((3, 2))
        expected = metrics.R2Score()(y_true[:, :1], y_pred[:, :1])
        assert metrics.R2Score("variance_weighted_average")(y_true, y_pred) == expected

    def test_none_gives_an_array(self):
        found = metrics.R2Score(None)([[1.0, 1.0], [2.0, 2.0]], [[1.0, 1.0], [2.0, 1.0]])
        np.testing.assert_allclose(found, [1.0, -1.0])

    def test_the_adjustment_counts_samples_and_not_numbers(self):
        y_true, y_pred = np.arange(8.0).reshape(4, 2), np.arange(8.0).reshape(4, 2) + 1
        plain = metrics.R2Score()(y_true, y_pred)
        found = metrics.R2Score(num_regressors=1)(y_true, y_pred)
        assert found == pytest.approx(1 - (1 - plain) * 3 / 2)

    def test_the_adjustment_leaves_samples_out_whose_weight_is_0(self):
        # As Keras does since it counts samples; up to 3.15 it counts every number of the targets.
        y_true, y_pred = np.arange(8.0).reshape(4, 2), np.arange(8.0).reshape(4, 2) % 3
        found = metrics.R2Score(num_regressors=1)(y_true, y_pred, sample_weight=[1, 1, 0, 1])
        kept = metrics.R2Score(num_regressors=1)(y_true[[0, 1, 3]], y_pred[[0, 1, 3]])
        assert found == pytest.approx(kept)

    def test_too_few_samples_to_adjust_are_told_of(self):
        metric = metrics.R2Score(num_regressors=3)
        with pytest.warns(UserWarning, match="3 regressors by 3 samples"):
            assert metric([[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]]) == 0.5

    def test_images_are_refused(self):
        with pytest.raises(ValueError, match=r"shape \(batch, outputs\).*\(2, 3, 3\)"):
            metrics.R2Score()(np.ones((2, 3, 3)), np.ones((2, 3, 3)))

    def test_another_number_of_outputs_is_refused(self):
        metric = metrics.R2Score()
        metric.update_state(np.ones((2, 3)), np.ones((2, 3)))
        with pytest.raises(ValueError, match=r"shape \(batch, 3\).*\(2, 4\)"):
            metric.update_state(np.ones((2, 4)), np.ones((2, 4)))
        metric.reset_state()
        metric.update_state(np.ones((2, 4)), np.ones((2, 4)))

    @pytest.mark.parametrize("bad", [-1, 1.5, True, "2", None])
    def test_regressors_are_counted(self, bad):
        with pytest.raises(ValueError, match="num_regressors"):
            metrics.R2Score(num_regressors=bad)

    def test_known_aggregations(self):
        with pytest.raises(ValueError, match="variance_weighted_average"):
            metrics.R2Score("weighted")


class TestPositives:
    def test_a_list_of_thresholds_gives_an_array(self):
        metric = metrics.Precision(thresholds=[0.0, 0.5])
        np.testing.assert_allclose(metric([0, 1], [0.3, 0.7]), [0.5, 1.0])

    def test_the_first_k_are_exactly_k(self):
        metric = metrics.Precision(top_k=1)
        assert metric([[1, 0], [0, 1]], [[0.5, 0.5], [0.5, 0.5]]) == 0.5
        assert sum(float(variable) for variable in metric.variables) == 2

    def test_the_first_k_of_one_sample_need_no_batch(self):
        assert metrics.Precision(top_k=3)([0, 1, 1, 0, 0], [0.2, 0.1, 0.5, 0, 0.2]) == 1 / 3
        assert metrics.Recall(top_k=3).true_positives.shape == (1,)

    def test_no_positives_give_0(self):
        assert metrics.Precision()([1, 1], [0.0, 0.0]) == 0
        assert metrics.Recall()([0, 0], [1.0, 1.0]) == 0
        assert metrics.F1Score("micro", threshold=0.5)([0, 0], [0.0, 0.0]) == 0

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"thresholds": 1.5}, "thresholds"),
            ({"thresholds": [0.5, -0.1]}, "thresholds"),
            ({"thresholds": []}, "thresholds"),
            ({"thresholds": "0.5"}, "thresholds"),
            ({"top_k": 0}, "top_k"),
            ({"class_id": -1}, "class_id"),
            ({"class_id": True}, "class_id"),
        ],
    )
    def test_bad_arguments(self, arguments, message):
        with pytest.raises(ValueError, match=f"Recall: {message} must"):
            metrics.Recall(**arguments)

    @pytest.mark.parametrize("arguments", [{"top_k": 3}, {"class_id": 2}])
    def test_more_classes_than_there_are(self, arguments):
        with pytest.raises(ValueError, match="classes"):
            metrics.Recall(**arguments)([[0, 1]], [[0.5, 0.5]])

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"average": "mean"}, "average"),
            ({"beta": 0.0}, "beta"),
            ({"threshold": 2.0}, "threshold"),
        ],
    )
    def test_bad_arguments_of_f_scores(self, arguments, message):
        with pytest.raises(ValueError, match=f"FBetaScore: {message} must"):
            metrics.FBetaScore(**arguments)

    def test_f_scores_want_classes_and_always_as_many(self):
        with pytest.raises(ValueError, match=r"\(batch, classes\).*\(1, 2, 2\)"):
            metrics.F1Score()(np.ones((1, 2, 2)), np.ones((1, 2, 2)))
        metric = metrics.F1Score()
        metric.update_state(np.ones((1, 3)), np.ones((1, 3)))
        with pytest.raises(ValueError, match="as many classes in each batch"):
            metric.update_state(np.ones((1, 2)), np.ones((1, 2)))


class TestArguments:
    @pytest.mark.parametrize("bad", [1, "yes", None])
    def test_from_logits_is_yes_or_no(self, bad):
        with pytest.raises(ValueError, match="from_logits must be True or False"):
            metrics.BinaryCrossentropy(from_logits=bad)

    @pytest.mark.parametrize("bad", [-0.1, 1.1, np.nan, True])
    def test_smoothing_is_a_share(self, bad):
        with pytest.raises(ValueError, match="CategoricalCrossentropy: label_smoothing must"):
            metrics.CategoricalCrossentropy(label_smoothing=bad)

    @pytest.mark.parametrize("bad", [0, 1.5, True, None])
    def test_vectors_are_not_along_the_samples(self, bad):
        with pytest.raises(ValueError, match="axis must be an integer other than 0"):
            metrics.CosineSimilarity(axis=bad)

    @pytest.mark.parametrize("axis", [2, -2, -5])
    def test_an_axis_that_no_sample_has_is_refused(self, axis):
        with pytest.raises(ValueError, match=f"axis={axis} is no axis of one sample"):
            metrics.CosineSimilarity(axis=axis)(np.ones((2, 3)), np.ones((2, 3)))
